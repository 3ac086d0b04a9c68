// @ts-check
/**
 * What the monitor says about each queue, agent and conversation. Pure: texts and the present are
 * passed in. Seconds that the server counted (business hours) go on from the moment it did.
 *
 * @typedef {import("./texts.js").Texts} Texts
 * @typedef {{id: number | null, name: string, waiting: number, offline: number, escalated: number,
 *   with_agents: number, waiting_since: string | null, wait_low_s: number | null,
 *   wait_high_s: number | null, open: boolean, changes_at: string | null}} Queue
 * @typedef {{conversation: string, customer: string, uid: string, since: string, opened: boolean,
 *   owed_since: string | null, lease_until: string | null}} Has
 * @typedef {{id: number, name: string, present: boolean | null, availability: string,
 *   capacity: number, has: Has[]}} Agent
 * @typedef {{kind: string, due_at: string | null, left_s: number, is_running: boolean}} Sla
 * @typedef {{conversation: string, uid: string, customer: string, status: string, agent: string,
 *   agent_id: number | null, queue: string, since: string, is_escalated: boolean,
 *   is_offline: boolean, sla: Sla | null}} Entry
 * @typedef {{now: string, counts: Record<string, number>, queues: Queue[], agents: Agent[],
 *   conversations: Entry[]}} Monitor
 */
import { elapsed } from "./times.js";

/** @param {number} seconds 0 or more @param {Texts} texts @returns {string} such as "2 min 5 s" */
export function duration(seconds, texts) {
  const zero = new Date(0);
  const { hours, minutes, seconds: rest } = elapsed(zero.toISOString(), new Date(seconds * 1000));
  if (hours) return texts("hours-minutes", { hours, minutes });
  return minutes ? texts("minutes-seconds", { minutes, seconds: rest }) : texts("seconds", { seconds: rest });
}

/** @param {string} at ISO 8601 @param {Date} now @returns {number} seconds since then, negative: until then */
export function secondsSince(at, now) {
  return (now.getTime() - Date.parse(at)) / 1000;
}

/** @param {{customer: string, uid: string}} one @param {Texts} texts */
export function nameOf(one, texts) {
  return one.customer || texts("visitor", { number: one.uid.slice(-4).toUpperCase() });
}

/**
 * What the agent has to do about a conversation of his.
 *
 * @param {Has} one
 * @param {Date} now
 * @param {Texts} texts
 * @returns {{text: string, isUrgent: boolean}}
 */
export function owed(one, now, texts) {
  if (one.lease_until === null) {
    const time = duration(Math.max(0, secondsSince(one.since, now)), texts);
    return { text: texts("has-since", { time }), isUrgent: false };
  }
  const left = -secondsSince(one.lease_until, now);
  if (left <= 0) return { text: texts("has-late"), isUrgent: true };
  const key = one.opened ? "has-owes" : "has-unopened";
  return { text: texts(key, { time: duration(left, texts) }), isUrgent: left < 30 };
}

/**
 * @param {Sla | null} sla
 * @param {number} passedS seconds since the server counted
 * @param {Texts} texts
 * @returns {{text: string, isMissed: boolean}}
 */
export function target(sla, passedS, texts) {
  if (!sla) return { text: "", isMissed: false };
  const left = sla.left_s - (sla.is_running ? passedS : 0);
  const isMissed = left < 0;
  const key = `sla-${sla.kind}${isMissed ? "-missed" : ""}`;
  const text = texts(key, { time: duration(Math.abs(left), texts) });
  return { text: sla.is_running ? text : texts("sla-stands", { text }), isMissed };
}

/** @param {Queue} queue @param {Texts} texts @returns {string} in whole minutes, "–" where nobody knows */
export function expected({ wait_low_s, wait_high_s }, texts) {
  if (wait_low_s === null || wait_high_s === null) return "–";
  return texts("wait-between", { low: Math.round(wait_low_s / 60), high: Math.round(wait_high_s / 60) });
}

/**
 * @param {Queue} queue
 * @param {Date} now
 * @param {string} language
 * @param {Texts} texts
 * @returns {string} open or closed, and until when
 */
export function hours({ open, changes_at }, now, language, texts) {
  const state = open ? "open" : "closed";
  if (!changes_at) return texts(state);
  const at = new Date(changes_at);
  const isToday = at.toDateString() === now.toDateString();
  const time = new Intl.DateTimeFormat(language, {
    ...(isToday ? {} : { month: "numeric", day: "numeric", weekday: "short" }),
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(at);
  return texts(`${state}-until`, { time });
}
