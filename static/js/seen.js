// @ts-check
/**
 * How far this browser has shown a conversation, for when its customer comes back: the server has
 * marks only where an agent has said something (read-marks.js).
 *
 * @typedef {{conversation: string, seq: number}} Seen
 */

const KEY = "customer-service.seen";

/** @returns {Seen | null} of the conversation that was on the screen last */
export function seen() {
  try {
    const { conversation = "", seq = 0 } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return conversation ? { conversation: String(conversation), seq: Number(seq) || 0 } : null;
  } catch {
    return null; // storage is forbidden, or what it holds is not ours
  }
}

/** It goes forward only: of two tabs the one that is further wins. @param {Seen} now */
export function keepSeen({ conversation, seq }) {
  const before = seen();
  if (before?.conversation === conversation && before.seq >= seq) return;
  try {
    localStorage.setItem(KEY, JSON.stringify({ conversation, seq }));
  } catch {
    // Storage is forbidden: what agents have said is known to the server.
  }
}
