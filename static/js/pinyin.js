// @ts-check
/**
 * The first letters of Chinese words in pinyin: 转接同事 is "zjts". Browsers order Chinese by pinyin, so
 * a character's letter is that of the last of these which does not come after it.
 */

// The first character of each letter in the order of the Unicode CLDR's collation "zh-u-co-pinyin".
const FIRST = [..."吖八嚓咑妸发旮哈丌咔垃呣拏喔妑七呥仨他屲夕丫帀"];
const LETTERS = "abcdefghjklmnopqrstwxyz";
const collator = new Intl.Collator("zh-u-co-pinyin");

/**
 * @param {string} text
 * @returns {string} in small letters; what is not Chinese stays, without blanks
 */
export function initials(text) {
  return [...text.toLowerCase()].map(letterOf).join("").replace(/\s+/g, "");
}

/** @param {string} character */
function letterOf(character) {
  if (!/\p{Script=Han}/u.test(character)) return character;
  const at = FIRST.findLastIndex((first) => collator.compare(first, character) <= 0);
  return at < 0 ? character : LETTERS[at];
}
