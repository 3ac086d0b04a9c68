// @ts-check
/**
 * Which canned replies somebody means by a few letters. Pure.
 *
 * @typedef {{id: number, shortcut: string, title: string, pinyin: string, text: string,
 *   language: string, missing: string[], is_own: boolean}} Reply
 *   pinyin: syllables of the title, "tui huo di zhi"; missing: variables that stand in the text
 */

/** Lower case, without spaces and what an input method puts between syllables. @param {string} text */
function plain(text) {
  return text.normalize("NFKC").toLowerCase().replace(/[\s'’]+/g, "");
}

/**
 * Whether letters are syllables from one on: whole ones, beginnings or initials, mixed as people
 * type them: "tuihuo", "th", "tuih", "thdz".
 *
 * @param {string} letters
 * @param {readonly string[]} syllables
 * @param {number} from
 * @returns {boolean}
 */
export function spells(letters, syllables, from = 0) {
  if (!letters) return true;
  const syllable = syllables[from];
  if (!syllable) return false;
  for (let taken = Math.min(syllable.length, letters.length); taken > 0; taken -= 1) {
    if (!syllable.startsWith(letters.slice(0, taken))) continue;
    if (spells(letters.slice(taken), syllables, from + 1)) return true;
  }
  return false;
}

/**
 * @param {Reply} reply
 * @param {string} query
 * @returns {number} how well it fits, the lower the better; Infinity: not at all
 */
export function fit(reply, query) {
  const wanted = plain(query);
  const shortcut = plain(reply.shortcut);
  const title = plain(reply.title);
  const syllables = reply.pinyin.split(" ");
  if (!wanted || shortcut === wanted) return 0;
  if (shortcut.startsWith(wanted)) return 1;
  if (title.startsWith(wanted)) return 2;
  if (spells(wanted, syllables)) return 3;
  if (shortcut.includes(wanted) || title.includes(wanted)) return 4;
  if (syllables.some((_, at) => at > 0 && spells(wanted, syllables, at))) return 5;
  return plain(reply.text).includes(wanted) ? 6 : Infinity;
}

/**
 * @param {readonly Reply[]} replies
 * @param {string} query
 * @returns {Reply[]} those that fit, the best first, an agent's own before others as good
 */
export function found(replies, query) {
  return replies
    .map((reply) => ({ reply, at: fit(reply, query) }))
    .filter(({ at }) => at < Infinity)
    .sort((one, other) => one.at - other.at || Number(other.reply.is_own) - Number(one.reply.is_own))
    .map(({ reply }) => reply);
}

/**
 * Where a variable stands in a text that nothing was known for.
 *
 * @param {string} text
 * @param {(name: string) => boolean} isVariable other braces are the agent's own
 * @returns {{name: string, start: number, end: number} | null} the first one
 */
export function hole(text, isVariable) {
  for (const match of text.matchAll(/\{([a-z_]+)\}/g)) {
    const [whole, name] = match;
    if (isVariable(name)) return { name, start: match.index, end: match.index + whole.length };
  }
  return null;
}
