// @ts-check
/**
 * The lists of conversations, as pure functions.
 *
 * @typedef {{id: number, name: string, colour: string, ink: string}} Label
 * @typedef {{conversation: string, uid: string, customer: string, language: string,
 *   status: "BOT" | "WAITING" | "AGENT" | "CLOSED", agent: string, agent_is_me: boolean,
 *   is_for_me: boolean, waiting_since: string, changed_at: string, queue: string,
 *   queue_id: number | null, because: string, intent: string, is_escalated: boolean,
 *   is_offline: boolean, labels: Label[], last_text: string, last_seq: number,
 *   last_customer_seq: number, read_seq: number,
 *   sla_kind: "FIRST_RESPONSE" | "RESOLUTION" | "", sla_due_at: string | null}} Entry
 * @typedef {"mine" | "queue" | "all" | "closed"} View
 * @typedef {{queue: string, label: string, language: string, intent: string, waiting: string,
 *   unread: string}} Filters what a list is narrowed to, as in the address; "" for everything.
 *   waiting: seconds; unread: "1"
 * @typedef {{kind: "waiting" | "assigned" | "message" | "escalated", entry: Entry}} News
 */

/** @type {readonly View[]} */
export const VIEWS = ["mine", "queue", "all", "closed"];
/** @type {Filters} */
export const NO_FILTERS = { queue: "", label: "", language: "", intent: "", waiting: "", unread: "" };

/** Waiting longer than this (seconds) is drawn as urgent, then as late. */
const URGENT_S = 120;
const LATE_S = 300;

/** What its queue promised is told when so many seconds are left. */
const DUE_S = 3_600;

/**
 * What is left of what its queue promised.
 *
 * @param {Entry} entry
 * @param {Date} now
 * @returns {{seconds: number, isMissed: boolean} | null} null: nothing is due soon
 */
export function promised({ sla_due_at }, now) {
  if (!sla_due_at) return null;
  const left = (Date.parse(sla_due_at) - now.getTime()) / 1000;
  return left > DUE_S ? null : { seconds: Math.abs(left), isMissed: left < 0 };
}

/** @param {string} text @returns {boolean} whether it can name a conversation: a UUID, lower case */
export function isId(text) {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
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
  if (entry.status !== "WAITING" && entry.status !== "AGENT") return false; // nobody is to read it
  const read = Math.max(seen.get(entry.conversation) ?? 0, entry.read_seq ?? 0);
  return (entry.last_customer_seq ?? entry.last_seq) > read;
}

/**
 * Apply a frame `inbox_changed`.
 *
 * @param {readonly Entry[]} inbox
 * @param {{inbox: Entry[], gone: string[]}} frame
 * @returns {Entry[]}
 */
export function changed(inbox, { inbox: listed, gone }) {
  const away = new Set([...gone, ...listed.map((one) => one.conversation)]);
  return [...inbox.filter((one) => !away.has(one.conversation)), ...listed];
}

/**
 * @param {readonly Entry[]} entries
 * @param {View} view
 * @returns {Entry[]} those of the view, in its order: the longest waiting on top, elsewhere what
 *   changed hands last
 */
export function inView(entries, view) {
  switch (view) {
    case "mine":
      return entries.filter((one) => one.agent_is_me).sort(byMoment("waiting_since"));
    case "queue":
      return entries
        .filter((one) => isWaiting(one) && one.is_for_me)
        .sort(
          (one, other) =>
            Number(other.is_escalated) - Number(one.is_escalated) || byMoment("waiting_since")(one, other),
        );
    case "all":
      return entries.filter((one) => one.status !== "CLOSED").sort((one, other) => byMoment("changed_at")(other, one));
    default:
      return entries.filter((one) => one.status === "CLOSED").sort((one, other) => byMoment("changed_at")(other, one));
  }
}

/** @param {"waiting_since" | "changed_at"} field */
function byMoment(field) {
  return (/** @type {Entry} */ one, /** @type {Entry} */ other) => Date.parse(one[field]) - Date.parse(other[field]);
}

/**
 * @param {Entry} entry
 * @param {Filters} filters
 * @param {ReadonlyMap<string, number>} seen
 * @param {Date} now
 * @returns {boolean} whether it passes them all
 */
export function passes(entry, filters, seen, now) {
  const waited = (now.getTime() - Date.parse(entry.waiting_since)) / 1000;
  return (
    (!filters.queue || String(entry.queue_id) === filters.queue) &&
    (!filters.label || entry.labels.some((label) => String(label.id) === filters.label)) &&
    (!filters.language || entry.language === filters.language) &&
    (!filters.intent || entry.intent === filters.intent) &&
    (!filters.waiting || (isWaiting(entry) && waited >= Number(filters.waiting))) &&
    (!filters.unread || isUnread(entry, seen))
  );
}

/**
 * What an agent is told of.
 *
 * @param {readonly Entry[]} before
 * @param {readonly Entry[]} after
 * @param {{isSupervisor: boolean}} who escalated ones are the supervisors' news
 * @returns {News[]} each conversation once
 */
export function news(before, after, { isSupervisor }) {
  const known = new Map(before.map((one) => [one.conversation, one]));
  const fresh = new Set(newcomers(before, after).map((one) => one.conversation));
  /** @type {News[]} */
  const found = [];
  for (const entry of after) {
    const was = known.get(entry.conversation);
    if (entry.agent_is_me) {
      if (!was?.agent_is_me) found.push({ kind: "assigned", entry });
      else if (entry.last_customer_seq > was.last_customer_seq) found.push({ kind: "message", entry });
    } else if (isSupervisor && isWaiting(entry) && entry.is_escalated && !was?.is_escalated) {
      found.push({ kind: "escalated", entry });
    } else if (fresh.has(entry.conversation) && entry.is_for_me !== false) {
      found.push({ kind: "waiting", entry });
    }
  }
  return found;
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
