// @ts-check
// Which lines of a box are compared while somebody types in it.

/**
 * Return the number of the line in which the caret stands.
 * @param {string} text @param {number} caret
 */
export function lineAt(text, caret) {
  return text.slice(0, caret).split("\n").length - 1;
}

/**
 * Return the lines to compare, each once: that of the caret first, then those nearest to it.
 * @param {string} text @param {number} current number of the caret's line @param {number} most
 */
export function hintedLines(text, current, most) {
  const lines = text.split("\n").map((line, number) => ({ line: line.trim(), far: Math.abs(number - current) }));
  const near = lines.filter(({ line }) => [...line].length > 1).sort((one, other) => one.far - other.far);
  return [...new Set(near.map(({ line }) => line))].slice(0, most);
}
