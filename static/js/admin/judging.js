// @ts-check
/**
 * Keyboard for a list of changed answers: the keys act on the answer that has the focus, so
 * that nothing happens to whoever types elsewhere. Buttons do the same; htmx sends them.
 */

/**
 * What a key asks for.
 * @param {string} key as in KeyboardEvent.key
 * @returns {"next" | "previous" | "a" | "r" | "u" | ""}
 */
export function meaning(key) {
  const pressed = key.toLowerCase();
  if (pressed === "j" || key === "ArrowDown") return "next";
  if (pressed === "k" || key === "ArrowUp") return "previous";
  return pressed === "a" || pressed === "r" || pressed === "u" ? pressed : "";
}

/**
 * The answer to go to: the neighbour, and the present one at the ends.
 * @param {number} at
 * @param {number} count
 * @param {"next" | "previous"} way
 */
export function neighbour(at, count, way) {
  return Math.min(count - 1, Math.max(0, at + (way === "next" ? 1 : -1)));
}

/** @param {HTMLElement} list */
function listen(list) {
  /** @returns {HTMLElement[]} */
  const answers = () => [...list.querySelectorAll("li.cs-answer")].map((one) => /** @type {HTMLElement} */ (one));
  /** @type {string} id of the answer whose verdict was sent by the latest key */
  let judged = "";

  const first = answers()[0];
  if (first) first.tabIndex = 0;

  list.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    const answer = /** @type {HTMLElement | null} */ (target.closest("li.cs-answer"));
    if (!answer || event.ctrlKey || event.metaKey || event.altKey) return;
    const asked = meaning(event.key);
    if (!asked) return;
    event.preventDefault();
    judged = "";
    if (asked === "next" || asked === "previous") {
      const all = answers();
      all[neighbour(all.indexOf(answer), all.length, asked)]?.focus();
      return;
    }
    const button = /** @type {HTMLButtonElement | null} */ (answer.querySelector(`button[data-key="${asked}"]`));
    if (!button) return;
    judged = answer.id;
    button.click();
  });

  list.addEventListener("pointerdown", () => {
    judged = "";
  });

  document.body.addEventListener("htmx:afterSettle", (event) => {
    // One answer may settle more than once: it stays the one until another key.
    const id = /** @type {CustomEvent} */ (event).detail.elt?.id;
    if (!judged || id !== judged) return;
    const all = answers();
    const at = all.findIndex((one) => one.id === id);
    if (at < 0) return;
    const stays = all[at].dataset.verdict === "OPEN" || all[at].querySelector("[role=alert]");
    all[stays ? at : neighbour(at, all.length, "next")].focus();
  });
}

if (typeof document !== "undefined") {
  const list = document.getElementById("changed-answers");
  if (list) listen(list);
}
