// @ts-check
/** While he waits the customer may leave his e-mail, to read the answer when he has gone. */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";

export class LeftAddress {
  #chat;
  #card;
  #conversation = /** @type {string | null} */ (null); // whose address is known
  #email = "";
  #isEditing = false;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    this.#card = /** @type {HTMLElement | null} */ (chat.querySelector("[data-part=address]"));
    if (!this.#card) return; // no mail is set up
    part(this.#card, "address-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#leave(/** @type {HTMLInputElement} */ (part(chat, "address-email")).value.trim());
    });
    part(this.#card, "address-change").addEventListener("click", () => {
      this.#isEditing = true;
      this.#show();
      part(chat, "address-email").focus();
    });
    part(this.#card, "address-remove").addEventListener("click", () => void this.#leave(""));
    chat.on("state", () => void this.#look());
  }

  async #look() {
    const { conversation, status } = this.#chat.state.timeline;
    if (status === "WAITING" && conversation && conversation !== this.#conversation) {
      this.#conversation = conversation;
      try {
        this.#email = (await this.#chat.api?.address(conversation))?.email ?? "";
      } catch {
        this.#email = ""; // the form asks again, which does no harm
      }
    }
    this.#show();
  }

  #show() {
    const card = /** @type {HTMLElement} */ (this.#card);
    const { status, conversation } = this.#chat.state.timeline;
    const isLeft = Boolean(this.#email) && !this.#isEditing;
    const wasHidden = card.hidden;
    card.hidden = status !== "WAITING" || conversation !== this.#conversation;
    part(card, "address-form").hidden = isLeft;
    part(card, "address-left").hidden = !isLeft;
    set(part(card, "address-said"), isLeft ? this.#chat.texts("address-left", { email: this.#email }) : "");
    if (wasHidden && !card.hidden && this.#chat.log?.atEnd) this.#chat.log.toEnd();
  }

  /** @param {string} email "" takes it back */
  async #leave(email) {
    const card = /** @type {HTMLElement} */ (this.#card);
    try {
      await this.#chat.api?.leaveAddress(this.#conversation ?? "", email);
      this.#email = email;
      this.#isEditing = false;
      set(part(card, "address-error"), "");
      this.#show();
      part(card, email ? "address-change" : "address-email").focus();
    } catch (error) {
      const text = error instanceof Refused ? error.detail : this.#chat.texts("not-saved");
      set(part(card, "address-error"), text);
    }
  }
}
