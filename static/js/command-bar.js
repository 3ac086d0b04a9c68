// @ts-check
/**
 * The command bar of the workspace (Ctrl K, Cmd K, Alt K): all that is possible right now, found by
 * its name, the first letters of its pinyin, or its English id. The list of keyboard shortcuts is
 * drawn from the same commands.
 */
import { part, set } from "./bubbles.js";
import { found, keyNames } from "./command-search.js";

/** @typedef {import("./commands.js").Command} Command */

export class CommandBar {
  #workspace;
  #field;
  #shown = /** @type {Command[]} */ ([]);
  #at = 0;

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#field = /** @type {HTMLInputElement} */ (part(workspace, "command-field"));
    const { commands, texts } = workspace;
    commands.add({ id: "commands", code: "KeyK", label: texts("command-commands"), run: () => this.#open() });
    commands.add({ id: "shortcuts", label: texts("command-shortcuts"), run: () => this.#openShortcuts() });
    addEventListener("keydown", (event) => {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.code === "KeyK") {
        event.preventDefault(); // the browser's own search
        this.#open();
      }
    });
    part(workspace, "shortcuts").addEventListener("click", () => this.#openShortcuts());
    part(workspace, "command-open").addEventListener("click", () => this.#open());
    this.#field.addEventListener("input", () => this.#search());
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    part(workspace, "command-list").addEventListener("click", (event) => {
      const row = /** @type {HTMLElement} */ (event.target).closest("li");
      const at = row ? [...part(workspace, "command-list").children].indexOf(row) : -1;
      if (at >= 0) this.#run(at);
    });
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close(); // beside it
    });
  }

  get #dialog() {
    return /** @type {HTMLDialogElement} */ (part(this.#workspace, "command-bar"));
  }

  #open() {
    if (this.#dialog.open) {
      this.#dialog.close();
      return;
    }
    if (document.querySelector("dialog[open]")) return; // something wants an answer first
    this.#field.value = "";
    this.#search();
    this.#dialog.showModal();
  }

  #search() {
    const possible = this.#workspace.commands.all.filter(
      (one) => one.id !== "commands" && (!one.may || one.may()),
    );
    this.#shown = found(possible, this.#field.value);
    this.#at = 0;
    const rows = this.#shown.map((command, index) => this.#row(command, index));
    part(this.#workspace, "command-list").replaceChildren(...rows);
    part(this.#workspace, "command-none").hidden = rows.length > 0;
    this.#mark();
  }

  /** @param {Command} command @param {number} index */
  #row(command, index) {
    const row = document.createElement("li");
    row.role = "option";
    row.id = `command-option-${index}`;
    const label = document.createElement("span");
    label.textContent = command.label;
    row.append(label, ...(command.code ? [keys(command.code, this.#workspace.texts("key-alt"))] : []));
    return row;
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing) return;
    const steps = /** @type {Record<string, number>} */ ({ ArrowDown: 1, ArrowUp: -1 });
    if (event.key in steps && this.#shown.length) {
      event.preventDefault();
      this.#at = (this.#at + steps[event.key] + this.#shown.length) % this.#shown.length;
      this.#mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.#run(this.#at);
    }
  }

  #mark() {
    const rows = /** @type {HTMLElement[]} */ ([...part(this.#workspace, "command-list").children]);
    rows.forEach((row, index) => (row.ariaSelected = String(index === this.#at)));
    rows[this.#at]?.scrollIntoView({ block: "nearest" });
    this.#field.setAttribute("aria-activedescendant", rows[this.#at]?.id ?? "");
  }

  /** @param {number} at */
  #run(at) {
    const command = this.#shown[at];
    if (!command) return;
    this.#dialog.close(); // the focus goes back first, so that the command can move it
    this.#workspace.commands.run(command.id);
  }

  #openShortcuts() {
    const { commands, texts } = this.#workspace;
    const rows = commands.all.filter((one) => one.code).flatMap((one) => {
      const [name, meaning] = [document.createElement("dt"), document.createElement("dd")];
      name.append(keys(/** @type {string} */ (one.code), texts("key-alt")));
      set(meaning, one.label);
      return [name, meaning];
    });
    part(this.#workspace, "shortcut-list").replaceChildren(...rows);
    /** @type {HTMLDialogElement} */ (part(this.#workspace, "shortcuts-dialog")).showModal();
  }
}

/** @param {string} code @param {string} alt the name of the key Alt */
function keys(code, alt) {
  const names = document.createElement("span");
  names.className = "keys-of";
  for (const name of keyNames(code, alt)) {
    const key = document.createElement("kbd");
    key.textContent = name;
    names.append(key);
  }
  return names;
}
