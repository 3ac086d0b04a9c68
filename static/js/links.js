// @ts-check
/**
 * Addresses inside a text, so that they can be clicked while the text stays text.
 *
 * @typedef {{text: string, href: string | null}} Part
 */

// Only http(s); stops at spaces, quotes, brackets, CJK characters and full-width punctuation,
// because Chinese has no spaces.
const ADDRESS = /https?:\/\/[^\s<>"'`\u2018-\u201f\u3000-\u9fff\uac00-\ud7af\uff00-\uffef]+/gi;
const TRAILING = /[.,;:!?)\]}]+$/;

/**
 * @param {string} text
 * @returns {Part[]} the text in order; joined, the parts are the text
 */
export function parts(text) {
  /** @type {Part[]} */
  const found = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TRAILING, "");
    if (!URL.canParse(address)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index), href: null });
    found.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

/**
 * Fill an element with a text: never HTML, because anybody types here.
 *
 * @param {Element} element
 * @param {string} text
 */
export function fill(element, text) {
  element.replaceChildren(
    ...parts(text).map((part) => {
      if (part.href === null) return document.createTextNode(part.text);
      const link = document.createElement("a");
      link.href = part.href;
      link.textContent = part.text;
      link.target = "_blank";
      link.rel = "noopener noreferrer nofollow";
      return link;
    }),
  );
}
