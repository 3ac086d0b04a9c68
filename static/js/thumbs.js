// @ts-check
/** Thumbs up or down at each answer of the bot, and why, for those who want to say it. */
import { Refused } from "./api.js";
import { part } from "./bubbles.js";

/** @typedef {import("./timeline.js").Message} Message */

export class Thumbs {
  #chat;
  #asking = /** @type {string | null} */ (null); // the key of the line at which the reasons are open

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("row", ({ element, row }) => this.#draw(element, row));
  }

  /** @param {HTMLElement} element @param {{key: string, message: Message | null}} row */
  #draw(element, { key, message }) {
    if (message?.sender !== "BOT" || message.answers === null) return;
    const thumbs = element.querySelector(".thumbs") ?? this.#create(element, key, message);
    for (const which of ["UP", "DOWN"]) {
      part(thumbs, which).setAttribute("aria-pressed", String(message.feedback === which));
    }
    part(thumbs, "reasons").hidden = message.feedback !== "DOWN" || this.#asking !== key;
  }

  /** @param {HTMLElement} element @param {string} key @param {Message} message */
  #create(element, key, message) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("thumbs-template"));
    const thumbs = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
    );
    part(element, "meta").append(thumbs);
    part(thumbs, "UP").addEventListener("click", () => {
      this.#asking = null;
      void this.#give(message, "UP");
    });
    part(thumbs, "DOWN").addEventListener("click", () => {
      this.#asking = key;
      void this.#give(message, "DOWN");
    });
    for (const reason of /** @type {NodeListOf<HTMLElement>} */ (thumbs.querySelectorAll("[data-reason]"))) {
      reason.addEventListener("click", async () => {
        if (!(await this.#give(message, "DOWN", reason.dataset.reason))) return;
        this.#asking = null;
        part(thumbs, "DOWN").focus(); // what had the focus goes
        part(thumbs, "reasons").hidden = true;
        this.#chat.say(this.#chat.texts("feedback-thanks"));
      });
    }
    return thumbs;
  }

  /**
   * @param {Message} message
   * @param {"UP" | "DOWN"} feedback
   * @param {string} [reason]
   * @returns {Promise<boolean>} whether the server has it
   */
  async #give({ conversation, seq }, feedback, reason = "") {
    try {
      await this.#chat.api?.feedback({ conversation, seq, feedback, reason });
    } catch (error) {
      this.#chat.say(error instanceof Refused ? error.detail : this.#chat.texts("not-saved"));
      return false;
    }
    this.#chat.change((timeline) => ({
      ...timeline,
      messages: timeline.messages.map((one) => (one.seq === seq && one.conversation === conversation ? { ...one, feedback } : one)),
    }));
    return true;
  }
}
