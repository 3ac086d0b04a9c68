// @ts-check
/** Where words stand in a text. */

/**
 * @param {string} text
 * @param {readonly string[]} words in any case
 * @returns {{text: string, isMarked: boolean}[]} the text in pieces; together they are the text
 */
export function pieces(text, words) {
  const wanted = words.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  if (!wanted.length) return text ? [{ text, isMarked: false }] : [];
  // The longest first, so that of two that begin alike the whole one is marked.
  wanted.sort((one, other) => other.length - one.length);
  return text
    .split(new RegExp(`(${wanted.join("|")})`, "giu"))
    .map((piece, index) => ({ text: piece, isMarked: index % 2 === 1 }))
    .filter((piece) => piece.text);
}

/** @param {string} text @param {readonly string[]} words @returns {Node[]} with `<mark>` around them */
export function marked(text, words) {
  return pieces(text, words).map((piece) => {
    if (!piece.isMarked) return document.createTextNode(piece.text);
    const mark = document.createElement("mark");
    mark.textContent = piece.text;
    return mark;
  });
}
