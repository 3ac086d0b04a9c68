// @ts-check
/** The customer ends the conversation, and begins another one. */
import { Refused } from "./api.js";
import { part } from "./bubbles.js";
import { leftBehind } from "./timeline.js";

export class Ending {
  #chat;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    const dialog = /** @type {HTMLDialogElement} */ (part(chat, "end-dialog"));
    part(chat, "end").addEventListener("click", () => {
      // Somebody is at it: once more, so that nobody hangs up by a slip.
      if (chat.state.timeline.status === "AGENT") dialog.showModal();
      else void this.#end();
    });
    dialog.addEventListener("close", () => {
      if (dialog.returnValue === "yes") void this.#end();
      dialog.returnValue = "";
    });
    part(chat, "anew").addEventListener("click", () => this.#begin());
    chat.on("state", ({ timeline: { conversation, status } }) => {
      part(chat, "end").hidden = !conversation || status === "CLOSED";
    });
  }

  async #end() {
    const { conversation } = this.#chat.state.timeline;
    if (!conversation) return;
    if (this.#chat.send({ type: "end" })) return;
    try {
      this.#chat.receive({ ...(await this.#chat.api?.end(conversation)), type: "status" });
      await this.#chat.catchUp();
    } catch (error) {
      this.#chat.say(error instanceof Refused ? error.detail : this.#chat.texts("not-saved"));
    }
  }

  #begin() {
    this.#chat.change(leftBehind);
    this.#chat.composer?.focus();
    this.#chat.log?.toEnd();
  }
}
