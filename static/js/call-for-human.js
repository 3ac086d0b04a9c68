// @ts-check
/** The button that calls a human, and the buttons of the bot's lines that do. */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { Timers } from "./timers.js";

/** Whatever the answer is, asking again must become possible. */
const SETTLED_MS = 8_000;

export class CallForHuman {
  #chat;
  #timers = new Timers();
  #isAsked = false;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    part(chat, "human").addEventListener("click", () => void this.#call());
    chat.on("action", (action) => action === "human" && void this.#call());
    chat.on("state", () => this.#show());
    chat.on("frame", ({ type, client_id }) => {
      if (type === "welcome" || (type === "refused" && !client_id)) this.#settled();
    });
  }

  async #call() {
    if (this.#isAsked || this.#chat.state.timeline.status === "WAITING") return;
    this.#isAsked = true;
    this.#show();
    if (this.#chat.send({ type: "human" })) {
      this.#timers.after("settled", SETTLED_MS, () => this.#settled());
      return;
    }
    try {
      this.#chat.receive({ ...(await this.#chat.api?.human()), type: "status" });
      await this.#chat.catchUp();
    } catch (error) {
      this.#chat.say(error instanceof Refused ? error.detail : this.#chat.texts("human-failed"));
    }
    this.#settled();
  }

  #settled() {
    this.#isAsked = false;
    this.#show();
  }

  #show() {
    const { texts, state } = this.#chat;
    const { status } = state.timeline;
    const isWaiting = this.#isAsked || status === "WAITING";
    const button = part(this.#chat, "human");
    button.hidden = status === "AGENT";
    button.setAttribute("aria-disabled", String(isWaiting));
    set(part(button, "label"), texts(isWaiting ? "human-waiting" : "human"));
    set(part(button, "short-label"), texts(isWaiting ? "human-waiting" : "human-short"));
  }
}
