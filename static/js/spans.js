// @ts-check
/**
 * Pieces of a text by the offsets that the server gives. It counts code points; JavaScript counts
 * UTF-16 units, of which an emoji has two. Pure.
 *
 * @typedef {{kind: string, text: string, start: number, end: number, value: Record<string, any>}} Entity
 * @typedef {{text: string, entity: Entity | null}} Piece
 */

/** @param {string} text @param {number} start @param {number} end @returns {string} by code points */
export function slice(text, start, end) {
  return [...text].slice(start, end).join("");
}

/**
 * @param {string} text
 * @param {readonly Entity[]} entities in any order
 * @returns {Piece[]} together they are the text; of two that overlap, or are not where they say, the later is left out
 */
export function pieces(text, entities) {
  const points = [...text];
  /** @type {Piece[]} */
  const found = [];
  let end = 0;
  for (const entity of [...entities].sort((one, other) => one.start - other.start)) {
    const own = points.slice(entity.start, entity.end).join("");
    if (entity.start < end || !own || own !== entity.text) continue;
    if (entity.start > end) found.push({ text: points.slice(end, entity.start).join(""), entity: null });
    found.push({ text: own, entity });
    end = entity.end;
  }
  if (end < points.length) found.push({ text: points.slice(end).join(""), entity: null });
  return found;
}

/**
 * @param {readonly {start: number, end: number, mood: {score: number} | null}[]} sentences
 * @param {{width: number, height: number}} size
 * @returns {{x: number, y: number}[]} a point in the middle of each sentence whose mood is known; the
 *   top is 1, the bottom -1
 */
export function curve(sentences, { width, height }) {
  const length = sentences.at(-1)?.end ?? 0;
  return sentences.flatMap(({ start, end, mood }) =>
    mood ? [{ x: round((width * (start + end)) / 2 / length), y: round((height * (1 - mood.score)) / 2) }] : [],
  );
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}

/** @param {string} from ISO 8601, a day or a moment with the offset of the shop @returns {string} */
export function dayAndTime(from) {
  return from.slice(0, 16).replace("T", " ");
}

/** A score from here on is a positive mood, below its negative a negative one (training/analysis/findings.py). */
const EDGE = 0.25;

/** @param {{score: number} | null} mood @returns {"" | "negative" | "neutral" | "positive"} */
export function moodName(mood) {
  if (!mood) return "";
  return mood.score <= -EDGE ? "negative" : mood.score >= EDGE ? "positive" : "neutral";
}
