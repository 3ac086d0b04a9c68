// @ts-check
/** What a waiting customer reads about the queue. Pure: words, language and present are passed in. */
import { clock, day } from "./times.js";

/**
 * @typedef {{position: number, wait_low_s: number | null, wait_high_s: number | null,
 *   open: boolean, opens_at: string | null}} Place as in docs/protocol.md
 */

/**
 * @param {Place} place
 * @param {import("./texts.js").Texts} texts
 * @param {string} language of the page
 * @param {Date} now
 * @returns {string}
 */
export function waitText(place, texts, language, now) {
  if (!place.open) {
    if (!place.opens_at) return texts("queue-closed");
    const at = `${day(place.opens_at, now, language)} ${clock(place.opens_at, language)}`;
    return texts("queue-opens", { at });
  }
  const { position } = place;
  if (place.wait_low_s === null || place.wait_high_s === null) return texts("queue-place", { position });
  const low = Math.floor(place.wait_low_s / 60);
  const high = Math.ceil(place.wait_high_s / 60);
  if (low === 0 || low === high) return texts("queue-up-to", { position, high });
  return texts("queue-between", { position, low, high });
}
