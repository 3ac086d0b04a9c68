// @ts-check
/** Labels as small coloured chips. */

/** @param {readonly import("./inbox.js").Label[]} labels @returns {HTMLElement[]} */
export function chips(labels) {
  return labels.map(({ name, colour, ink }) => {
    const chip = document.createElement("span");
    chip.className = "label-chip";
    chip.textContent = name;
    // Not by a style attribute, which the policy forbids.
    chip.style.setProperty("background-color", colour);
    chip.style.setProperty("color", ink);
    return chip;
  });
}
