// @ts-check
/** "@" in a field offers colleagues; the one chosen is written as @name and remembered. */
import { set } from "./bubbles.js";
import { draw } from "./keyed.js";

/** @typedef {{id: number, name: string}} Colleague */

const MOST_SHOWN = 8;

/**
 * What is being written after the latest "@" before the caret, or null.
 *
 * @param {string} text up to the caret
 * @returns {{from: number, query: string} | null} from: where the "@" stands
 */
export function naming(text) {
  const match = /(?:^|[^A-Za-z0-9])([@＠])([^\s@＠]{0,20})$/.exec(text);
  if (!match) return null;
  return { from: text.length - match[2].length - 1, query: match[2] };
}

export class MentionPicker {
  #field;
  #list;
  #fetch;
  #colleagues = /** @type {Colleague[] | null} */ (null);
  #picked = /** @type {Map<number, string>} */ (new Map()); // id → name
  #shown = /** @type {Colleague[]} */ ([]);
  #chosen = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {HTMLElement} list with role=listbox
   * @param {() => Promise<Colleague[]>} fetch
   */
  constructor(field, list, fetch) {
    this.#field = field;
    this.#list = list;
    this.#fetch = fetch;
    field.addEventListener("input", () => void this.#look());
    field.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("blur", () => this.#hide());
  }

  /** @param {string} text @returns {number[]} ids of those who are named in it */
  mentioned(text) {
    const named = [...this.#picked].filter(([, name]) => text.includes(`@${name}`));
    return named.map(([id]) => id);
  }

  async #look() {
    const asked = this.#naming();
    if (!asked) {
      this.#hide();
      return;
    }
    if (this.#colleagues === null) {
      try {
        this.#colleagues = await this.#fetch();
      } catch {
        return; // the next letter asks again
      }
    }
    const now = this.#naming();
    if (!now) return;
    const query = now.query.toLowerCase();
    this.#shown = this.#colleagues.filter(({ name }) => name.toLowerCase().includes(query)).slice(0, MOST_SHOWN);
    this.#chosen = 0;
    this.#show();
  }

  #naming() {
    return naming(this.#field.value.slice(0, this.#field.selectionStart));
  }

  #show() {
    draw(
      this.#list,
      this.#shown.map((colleague, at) => ({ key: String(colleague.id), colleague, at })),
      ({ colleague }) => {
        const option = document.createElement("li");
        option.id = `mention-${colleague.id}`;
        option.role = "option";
        option.addEventListener("pointerdown", (event) => {
          event.preventDefault(); // the field keeps the focus
          this.#pick(colleague);
        });
        return option;
      },
      (option, { colleague, at }) => {
        set(option, colleague.name);
        option.ariaSelected = String(at === this.#chosen);
      },
    );
    this.#list.hidden = this.#shown.length === 0;
    const chosen = this.#shown[this.#chosen];
    this.#field.setAttribute("aria-activedescendant", chosen ? `mention-${chosen.id}` : "");
  }

  #hide() {
    this.#shown = [];
    this.#show();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#shown.length || event.isComposing || event.keyCode === 229) return;
    const count = this.#shown.length;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#choose((this.#chosen + 1) % count),
      ArrowUp: () => this.#choose((this.#chosen - 1 + count) % count),
      Enter: () => this.#pick(this.#shown[this.#chosen]),
      Tab: () => this.#pick(this.#shown[this.#chosen]),
      Escape: () => this.#hide(),
    };
    const act = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @param {number} at */
  #choose(at) {
    this.#chosen = at;
    this.#show();
  }

  /** @param {Colleague} colleague */
  #pick({ id, name }) {
    const asked = this.#naming();
    if (!asked) return;
    this.#picked.set(id, name);
    this.#field.setRangeText(`@${name} `, asked.from, this.#field.selectionStart, "end");
    this.#hide();
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    this.#field.focus();
  }
}
