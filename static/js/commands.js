// @ts-check
/**
 * What an agent can do in the workspace: by key, and from the command bar.
 *
 * @typedef {object} Command
 * @property {string} id
 * @property {string} label as the command bar shows it, translated
 * @property {string} [code] of the key that runs it together with Alt; by place on the keyboard
 *   (KeyboardEvent.code), since with Alt some systems type other characters
 * @property {() => void} run
 * @property {() => boolean} [may] whether it is possible right now; always, if absent
 */

/** A dialog itself: its key opens it, and closes it again. */
const COMMAND_BAR = "commands";

const OPEN_LAYERS = CSS.supports("selector(:popover-open)") ? "dialog[open], :popover-open" : "dialog[open]";

export class Commands {
  #commands = /** @type {Map<string, Command>} */ (new Map());

  /** @param {Command} command @throws {Error} its id or its key is taken */
  add(command) {
    const taken = [...this.#commands.values()].some(
      (one) => one.id === command.id || (command.code && one.code === command.code),
    );
    if (taken) throw new Error(`The command ${command.id}, or its key, is there already`);
    this.#commands.set(command.id, command);
  }

  /** @returns {Command[]} in the order in which they were added */
  get all() {
    return [...this.#commands.values()];
  }

  /** @param {string} id @returns {boolean} false: not possible right now */
  run(id) {
    const command = this.#commands.get(id);
    if (!command || (command.may && !command.may())) return false;
    command.run();
    return true;
  }

  /**
   * Listen to the keys, wherever the focus is. While a dialog is open they are the dialog's: Alt with
   * the arrow down opens its lists, and nothing behind it may become another conversation.
   *
   * @param {() => void} leave by Escape, unless it closes something on top
   */
  listen(leave) {
    addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey) return;
      if (event.key === "Escape" && !document.querySelector(OPEN_LAYERS)) {
        leave();
        return;
      }
      const command = event.altKey && this.all.find((one) => one.code === event.code);
      if (!command) return;
      if (command.id !== COMMAND_BAR && document.querySelector("dialog[open]")) return;
      event.preventDefault();
      this.run(command.id);
    });
  }
}
