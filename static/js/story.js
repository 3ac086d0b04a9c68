// @ts-check
/**
 * What GET /api/workspace/conversations/…/panel answers (docs/protocol.md), and what follows
 * from it. Pure.
 *
 * @typedef {{kind: string, until: string, state: string, rule: string, text: string, product: string}} Promised
 * @typedef {{number: string, status: string, status_name: string, is_named: boolean, placed_at: string,
 *   shipped_at: string | null, delivered_at: string | null, carrier: string, tracking_number: string,
 *   total: string, duty: string, currency: string, promises: Promised[],
 *   lines: {sku: string, name: string, quantity: number, unit_price: string}[]}} Order
 * @typedef {{kind: string, text: string, seq: number, order: string, meaning: string}} Mention
 * @typedef {{seq: number, text: string, intent: string, probability: number | null, decision: string,
 *   outcome: string, meant: string, rating: number | null, answer: string,
 *   answer_seq: number | null}} Turn
 * @typedef {{conversation: string, requested_at: string, because: string, intent: string, queue: string,
 *   note: string, summary: string, agent: string, is_open: boolean}} Handover
 * @typedef {{conversation: string, opened_at: string, status: string, agent: string, messages: number,
 *   disposition: string, score: number | null}} Earlier
 * @typedef {{conversation: string, last_seq: number, uid: string, is_visitor: boolean,
 *   customer: {name: string, level: string, language: string, country: string, joined_on: string} | null,
 *   earlier: {conversations: Earlier[], has_more: boolean}, orders: Order[], has_more_orders: boolean,
 *   mentions: Mention[], turns: Turn[], handovers: Handover[], analyses: Analysis[]}} Story
 * @typedef {{score: number, negative: number, positive: number}} Mood
 * @typedef {{seq: number, status: string, requested_at: string, finished_at: string | null, findings: {
 *   entities: import("./spans.js").Entity[], mood: Mood | null,
 *   sentences: {start: number, end: number, ranked: [string, number][], mood: Mood | null}[],
 *   summary: {asked: [string, number][], orders: string[], parcels: string[], products: string[],
 *     times: [string, string][], amounts: [string, string][], wishes: [number, number][]}} | null}} Analysis
 */

/**
 * @param {Order[]} orders newest first
 * @returns {Order[]} the one that is spoken of before the others
 */
export function spokenOfFirst(orders) {
  return [...orders].sort((one, other) => Number(other.is_named) - Number(one.is_named));
}

/**
 * @param {Promised[]} promised
 * @returns {Promised[]} what may still be done or asked for first, then what is over; each by date
 */
export function pressing(promised) {
  const rank = (/** @type {Promised} */ one) =>
    ({ OVERDUE: 0, DUE: 1, OPEN: 2, LATE: 3, KEPT: 4 })[one.state] ?? 5;
  return [...promised].sort((one, other) => rank(one) - rank(other) || one.until.localeCompare(other.until));
}

/**
 * What the panel shows depends on this and nothing else that frames bring.
 *
 * @param {import("./timeline.js").Timeline | null} timeline
 * @param {string} status
 * @returns {string} the same as long as the story cannot have changed
 */
export function chapter(timeline, status) {
  const told = timeline?.messages.filter(({ sender }) => sender === "CUSTOMER" || sender === "BOT");
  return `${status} ${told?.at(-1)?.seq ?? 0}`;
}
