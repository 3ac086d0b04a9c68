// @ts-check
/**
 * The list of handed-over conversations, as pure functions.
 *
 * @typedef {{conversation: string, uid: string, customer: string, language: string,
 *   status: "WAITING" | "AGENT", agent: string, agent_is_me: boolean, waiting_since: string,
 *   queue: string, because: string, intent: string, is_escalated: boolean, is_offline: boolean,
 *   last_text: string, last_seq: number}} Entry
 */

/** Waiting longer than this (seconds) is drawn as urgent, then as late. */
const URGENT_S = 120;
const LATE_S = 300;

/** @param {string} text @returns {boolean} whether it can name a conversation: a UUID, lower case */
export function isId(text) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
}

/**
 * @param {readonly Entry[]} inbox
 * @returns {Entry[]} waiting ones first, the longest waiting on top; then mine; then the others'
 */
export function ordered(inbox) {
  const rank = (/** @type {Entry} */ one) => (one.status === "WAITING" ? 0 : one.agent_is_me ? 1 : 2);
  return [...inbox].sort(
    (one, other) =>
      rank(one) - rank(other) || Date.parse(one.waiting_since) - Date.parse(other.waiting_since),
  );
}

/**
 * @param {readonly Entry[]} before
 * @param {readonly Entry[]} after
 * @returns {Entry[]} those that began to wait
 */
export function newcomers(before, after) {
  const waited = new Set(before.filter(isWaiting).map((one) => one.conversation));
  return after.filter((one) => isWaiting(one) && !waited.has(one.conversation));
}

/**
 * @param {Entry} entry
 * @param {ReadonlyMap<string, number>} seen the last seq this agent has seen, by conversation
 * @returns {boolean}
 */
export function isUnread(entry, seen) {
  return entry.last_seq > (seen.get(entry.conversation) ?? 0);
}

/**
 * @param {readonly Entry[]} inbox
 * @param {ReadonlyMap<string, number>} seen
 * @returns {number} conversations that want this agent: waiting ones, and his own with news
 */
export function wanting(inbox, seen) {
  return inbox.filter((one) => isWaiting(one) || (one.agent_is_me && isUnread(one, seen))).length;
}

/**
 * @param {Entry} entry
 * @param {Date} now
 * @returns {"" | "urgent" | "late"}
 */
export function urgency(entry, now) {
  if (!isWaiting(entry)) return "";
  const seconds = (now.getTime() - Date.parse(entry.waiting_since)) / 1000;
  return seconds >= LATE_S ? "late" : seconds >= URGENT_S ? "urgent" : "";
}

/** @param {Entry} entry */
function isWaiting(entry) {
  return entry.status === "WAITING";
}
