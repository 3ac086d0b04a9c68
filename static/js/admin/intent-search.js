// @ts-check
/**
 * Which intents somebody means by a few letters. Pure.
 *
 * @typedef {{code: string, name: string, names: readonly string[]}} Intent
 *   name: in the reader's language; names: in all
 */
import { initials } from "../pinyin.js";

const NOT = Infinity;

/** @param {string} text */
function plain(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\s'’_-]+/g, "");
}

/**
 * @param {Intent} intent
 * @param {string} wanted as `plain` gives it
 * @returns {number} how well it fits, the lower the better; Infinity: not at all
 */
function fit(intent, wanted) {
  const names = intent.names.map(plain);
  const code = plain(intent.code);
  const letters = intent.names.map((name) => plain(initials(name)));
  if (names.includes(wanted) || code === wanted) return 0;
  if (names.some((name) => name.startsWith(wanted))) return 1;
  if (letters.some((name) => name.startsWith(wanted))) return 2;
  if (code.startsWith(wanted)) return 3;
  if (names.some((name) => name.includes(wanted)) || code.includes(wanted)) return 4;
  return letters.some((name) => name.includes(wanted)) ? 5 : NOT;
}

/**
 * @param {readonly Intent[]} intents
 * @param {string} query by name in any language, code, or first letters of the pinyin: "yhq"
 * @returns {Intent[]} those that fit, the best first, else in their order; all for nothing
 */
export function found(intents, query) {
  const wanted = plain(query);
  if (!wanted) return [...intents];
  return intents
    .map((intent) => ({ intent, at: fit(intent, wanted) }))
    .filter(({ at }) => at < NOT)
    .sort((one, other) => one.at - other.at)
    .map(({ intent }) => intent);
}

/**
 * @param {string} name in English
 * @returns {string} a code made of it: "Cash on delivery" is cash_on_delivery
 */
export function codeOf(name) {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, 40);
}
