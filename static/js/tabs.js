// @ts-check
/**
 * Tabs after the WAI-ARIA pattern: one of them is in the order of the Tab key, arrows, Home and
 * End go to the others and show their panes.
 * https://www.w3.org/WAI/ARIA/apg/patterns/tabs/
 */
export class Tabs {
  #tabs;

  /** @param {Element} list with role=tablist; each tab names its pane by aria-controls */
  constructor(list) {
    this.#tabs = /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[role=tab]")]);
    for (const tab of this.#tabs) tab.addEventListener("click", () => this.show(tab.id));
    list.addEventListener("keydown", (event) => this.#key(/** @type {KeyboardEvent} */ (event)));
  }

  /** @returns {HTMLElement} */
  get chosen() {
    return this.#tabs.find((tab) => tab.ariaSelected === "true") ?? this.#tabs[0];
  }

  /** @param {string} id of a tab */
  show(id) {
    for (const tab of this.#tabs) {
      const isChosen = tab.id === id;
      tab.ariaSelected = String(isChosen);
      tab.tabIndex = isChosen ? 0 : -1;
      const pane = document.getElementById(tab.getAttribute("aria-controls") ?? "");
      if (pane) pane.hidden = !isChosen;
    }
  }

  focus() {
    this.chosen.focus();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.#tabs.indexOf(this.chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.show(this.#tabs.at(to % this.#tabs.length)?.id ?? "");
    this.focus();
  }
}
