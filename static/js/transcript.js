// @ts-check
/** The conversation to keep: as a file, or by mail where mail is set up. */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";

/** Long enough for every browser to have begun saving. */
const KEPT_MS = 60_000;

export class Transcript {
  #chat;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    for (const format of ["txt", "html"]) {
      part(chat, `transcript-${format}`).addEventListener("click", () => void this.#save(format));
    }
    const dialog = /** @type {HTMLDialogElement | null} */ (chat.querySelector("[data-part=mail-dialog]"));
    if (!dialog) return; // no mail is set up
    part(chat, "transcript-mail").addEventListener("click", () => {
      set(part(dialog, "mail-error"), "");
      dialog.showModal();
    });
    part(dialog, "mail-cancel").addEventListener("click", () => dialog.close());
    part(dialog, "mail-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#mail(dialog);
    });
  }

  /** @param {string} format */
  async #save(format) {
    const { conversation } = this.#chat.state.timeline;
    if (!conversation) return;
    try {
      const { name, blob } = /** @type {{name: string, blob: Blob}} */ (
        await this.#chat.api?.transcript(conversation, format)
      );
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), KEPT_MS);
    } catch (error) {
      this.#chat.say(error instanceof Refused ? error.detail : this.#chat.texts("transcript-failed"));
    }
  }

  /** @param {HTMLDialogElement} dialog */
  async #mail(dialog) {
    const { conversation } = this.#chat.state.timeline;
    const { value } = /** @type {HTMLInputElement} */ (part(dialog, "mail-address"));
    try {
      await this.#chat.api?.mailTranscript(conversation ?? "", value);
      dialog.close();
      this.#chat.say(this.#chat.texts("transcript-mailed", { email: value }));
    } catch (error) {
      const text = error instanceof Refused ? error.detail : this.#chat.texts("transcript-failed");
      set(part(dialog, "mail-error"), text);
    }
  }
}
