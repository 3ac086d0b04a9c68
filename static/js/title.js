// @ts-check
/** The number in front of the page's title: what happened while nobody looked. */

const plain = document.title;

/** @param {number} count 0 shows the plain title */
export function badge(count) {
  document.title = count ? `(${count > 99 ? "99+" : count}) ${plain}` : plain;
}
