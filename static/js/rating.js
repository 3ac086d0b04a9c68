// @ts-check
/** How content was he? Asked when a conversation has ended or an agent has handed it back. */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { asksRating } from "./timeline.js";

export class Rating {
  #chat;
  #card;
  #form;
  #conversation = /** @type {string | null} */ (null); // that the card is about
  #isEditing = false;
  #dismissed = /** @type {string | null} */ (null);

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    this.#card = part(chat, "rating");
    this.#form = /** @type {HTMLFormElement} */ (part(this.#card, "rating-form"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#form.addEventListener("change", () => {
      this.#say("");
      this.#show();
    });
    part(this.#card, "rating-later").addEventListener("click", () => {
      this.#putAway();
      chat.composer?.focus();
    });
    // Who begins anew has heard the question; ending.js clears the screen after this.
    part(chat, "anew").addEventListener("click", () => this.#putAway(), { capture: true });
    part(this.#card, "rating-change").addEventListener("click", () => {
      this.#isEditing = true;
      this.#show();
      /** @type {HTMLElement | null} */ (this.#form.querySelector("input:checked"))?.focus();
    });
    chat.on("state", () => this.#show());
  }

  #show() {
    const { timeline } = this.#chat.state;
    const { conversation, rating } = timeline;
    const isAsked = asksRating(timeline) && conversation !== this.#dismissed;
    if (isAsked && conversation !== this.#conversation) {
      this.#conversation = conversation;
      this.#isEditing = false;
      this.#form.reset();
    }
    const score = rating?.score ?? null;
    const isGiven = score !== null && !this.#isEditing;
    if (isGiven && !this.#card.contains(document.activeElement)) this.#fill(score, rating?.comment ?? "");
    const wasHidden = this.#card.hidden;
    this.#form.hidden = isGiven;
    // Stars first: who has chosen some may want to say more.
    const more = part(this.#form, "rating-more");
    const grows = more.hidden;
    more.hidden = ![...this.#radios].some((radio) => radio.checked);
    part(this.#card, "rating-given").hidden = !isGiven;
    set(part(this.#card, "rating-thanks"), isGiven ? this.#chat.texts("rating-thanks", { score }) : "");
    this.#card.hidden = !isAsked;
    const isTaller = isAsked && (wasHidden || (grows && !more.hidden));
    if (isTaller && this.#chat.log?.atEnd) this.#chat.log.toEnd();
  }

  /** @param {number} score @param {string} comment */
  #fill(score, comment) {
    for (const radio of this.#radios) radio.checked = Number(radio.value) === score;
    this.#comment.value = comment;
  }

  get #radios() {
    return /** @type {NodeListOf<HTMLInputElement>} */ (this.#form.querySelectorAll("input[type=radio]"));
  }

  get #comment() {
    return /** @type {HTMLTextAreaElement} */ (part(this.#form, "rating-comment"));
  }

  async #send() {
    const chosen = [...this.#radios].find((radio) => radio.checked);
    if (!chosen) {
      this.#say(this.#chat.texts("rating-choose"));
      this.#radios[0].focus();
      return;
    }
    const conversation = this.#conversation ?? "";
    try {
      const status = await this.#chat.api?.rate(conversation, Number(chosen.value), this.#comment.value);
      this.#isEditing = false;
      this.#chat.receive({ ...status, type: "status" });
      part(this.#card, "rating-change").focus(); // the form that had the focus has gone
    } catch (error) {
      this.#say(error instanceof Refused ? error.detail : this.#chat.texts("not-saved"));
    }
  }

  /** Not now; nor after a reload, or on another device. */
  #putAway() {
    const { timeline } = this.#chat.state;
    if (!asksRating(timeline) || !timeline.conversation || timeline.rating?.score) return;
    this.#dismissed = timeline.conversation;
    this.#show();
    // Where it does not arrive he is asked once more at his next visit.
    this.#chat.api?.putRatingAway(timeline.conversation).catch(() => {});
  }

  /** @param {string} text */
  #say(text) {
    set(part(this.#card, "rating-error"), text);
  }
}
