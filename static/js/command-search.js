// @ts-check
/**
 * Finding commands, as pure functions.
 *
 * @typedef {import("./commands.js").Command} Command
 */
import { initials } from "./pinyin.js";

const NAMES = /** @type {Record<string, string>} */ ({
  ArrowDown: "↓", ArrowUp: "↑", ArrowLeft: "←", ArrowRight: "→", Slash: "/", Enter: "Enter",
});

/**
 * @template {Pick<Command, "id" | "label">} One
 * @param {readonly One[]} commands
 * @param {string} query in any case; "" finds all
 * @returns {One[]} those whose label, its first letters in pinyin or whose id has it; those that begin
 *   with it first, else in their order
 */
export function found(commands, query) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [...commands];
  const close = wanted.replace(/\s+/g, "");
  const rank = (/** @type {One} */ { id, label }) => {
    const names = [label.toLowerCase(), initials(label), id.replaceAll(/[_-]/g, " ")];
    if (names.some((name) => name.startsWith(wanted) || name.startsWith(close))) return 0;
    if (names.some((name) => name.includes(wanted) || name.includes(close))) return 1;
    return 2;
  };
  const ranked = commands.map((one) => ({ one, rank: rank(one) })).filter(({ rank: at }) => at < 2);
  return ranked.sort((one, other) => one.rank - other.rank).map(({ one }) => one);
}

/**
 * @param {string} code KeyboardEvent.code of the key that goes with Alt
 * @param {string} [alt] what that is called here
 * @returns {string[]} what stands on the keys
 */
export function keyNames(code, alt = "Alt") {
  return [alt, NAMES[code] ?? code.replace(/^(Key|Digit)/, "")];
}
