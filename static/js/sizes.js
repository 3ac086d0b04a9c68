// @ts-check

/**
 * @param {number} bytes
 * @param {string} language of the page
 * @returns {string} "3 kB", "1.4 MB"; by thousands, as the limit is
 */
export function sizeOf(bytes, language) {
  const [value, unit] = bytes < 1_000_000 ? [Math.max(1, Math.round(bytes / 1_000)), "kB"] : [bytes / 1_000_000, "MB"];
  return `${value.toLocaleString(language, { maximumFractionDigits: 1 })} ${unit}`;
}
