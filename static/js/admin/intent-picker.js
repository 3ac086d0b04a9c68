// @ts-check
// The window in which one intent is chosen by name, code or pinyin.

import { found } from "./intent-search.js";
import { element, part, root } from "./review-parts.js";

/** @typedef {import("./intent-search.js").Intent} Intent */

const dialog = /** @type {HTMLDialogElement} */ (root.querySelector("[data-dialog=move]"));
const search = /** @type {HTMLInputElement} */ (document.getElementById("ri-search"));
const list = /** @type {HTMLElement} */ (document.getElementById("ri-found"));

/** @type {readonly Intent[]} */
let offered = [];
/** @type {(code: string) => void} */
let chosen = () => {};
/** @type {(code: string) => void} */
let pointed = () => {};
let selected = 0;

/**
 * @param {readonly Intent[]} intents
 * @param {(code: string) => void} onChosen not told where the window is closed without a choice
 * @param {(code: string) => void} onPointed told of the one that Enter would choose, "" for none
 */
export function chooseIntent(intents, onChosen, onPointed) {
  offered = intents;
  chosen = onChosen;
  pointed = onPointed;
  search.value = "";
  offer();
  dialog.showModal();
  search.focus();
}

function offer() {
  const fitting = found(offered, search.value);
  list.replaceChildren(...fitting.map(option));
  const none = part("none-found");
  if (none) none.hidden = fitting.length > 0;
  select(0);
}

/** @param {Intent} intent @param {number} at */
function option(intent, at) {
  const row = element("li");
  row.id = `ri-option-${at}`;
  row.setAttribute("role", "option");
  row.dataset.code = intent.code;
  row.append(element("span", "", intent.name), element("small", "", intent.code));
  row.addEventListener("click", () => take(intent.code));
  return row;
}

/** @param {number} at */
function select(at) {
  const rows = list.children;
  selected = Math.max(0, Math.min(at, rows.length - 1));
  for (const [number, row] of [...rows].entries()) {
    row.setAttribute("aria-selected", String(number === selected));
  }
  rows[selected]?.scrollIntoView({ block: "nearest" });
  search.setAttribute("aria-activedescendant", rows[selected]?.id ?? "");
  pointed(/** @type {HTMLElement | undefined} */ (rows[selected])?.dataset.code ?? "");
}

/** @param {string} code */
function take(code) {
  dialog.close();
  chosen(code);
}

search.addEventListener("input", offer);
search.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    select(selected + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    const code = /** @type {HTMLElement | undefined} */ (list.children[selected])?.dataset.code;
    if (code) take(code);
  }
});
