// @ts-check
/** Ending a conversation: asked once more, with how it came out and a note for colleagues. */
import { part } from "./bubbles.js";

export class Closing {
  #workspace;
  #dialog;
  #select;
  #note;
  #conversation = /** @type {string | null} */ (null); // that was asked about

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#dialog = /** @type {HTMLDialogElement} */ (part(workspace, "close-dialog"));
    this.#select = /** @type {HTMLSelectElement} */ (part(workspace, "close-disposition"));
    this.#note = /** @type {HTMLTextAreaElement} */ (part(workspace, "close-note"));
    workspace.addEventListener("ending", () => void this.#ask());
    this.#dialog.addEventListener("close", () => this.#dialog.returnValue === "yes" && this.#end());
  }

  async #ask() {
    this.#conversation = this.#workspace.subject.conversation;
    this.#dialog.returnValue = "";
    this.#note.value = "";
    this.#select.length = 1;
    this.#dialog.showModal();
    try {
      const { dispositions } = await this.#workspace.api?.call("GET", "/api/workspace/dispositions");
      this.#select.length = 1;
      for (const { id, name } of dispositions) this.#select.add(new Option(name, String(id)));
    } catch {
      // It can be ended without; where the server needs one, it says so.
    }
    // Nothing to choose from: nobody is kept from ending it.
    this.#select.required = this.#dialog.dataset.needsDisposition === "true" && this.#select.length > 1;
  }

  #end() {
    if (this.#conversation !== this.#workspace.subject.conversation) return; // another one is on the screen by now
    const disposition = Number(this.#select.value) || null;
    this.#workspace.act("close", { disposition, note: this.#note.value });
  }
}
