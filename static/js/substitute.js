// @ts-check
/** What carries the chat while the socket is down: it is fetched over REST, and the page says so. */
import { part, set } from "./bubbles.js";
import { Timers } from "./timers.js";

/** A socket that is coming (back) gets this long before REST takes over. */
const SOCKET_FIRST_MS = 2_500;
const POLL_MS = 4_000;
/** A blink of the network is nobody's business: say it only when it lasts. */
const SAID_AFTER_MS = 1_200;
const FIRST_SAID_AFTER_MS = 4_000;
const SAID_AGAIN_MS = 3_000;

export class Substitute {
  #chat;
  #timers = new Timers();
  #state = /** @type {import("./connection.js").State} */ ("connecting");
  #works = false; // REST does

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
  }

  /** @param {import("./connection.js").State} state @param {number} attempt of the socket */
  follow(state, attempt) {
    this.#state = state;
    if (state === "open") {
      this.#timers.clear("poll");
      this.#timers.clear("notice");
      set(part(this.#chat, "notice"), "");
      return;
    }
    if (state === "shut") return;
    if (!this.#timers.has("notice")) {
      const isFirst = !attempt && !this.#chat.state.isStarted;
      this.#timers.after("notice", isFirst ? FIRST_SAID_AFTER_MS : SAID_AFTER_MS, () => this.#sayLost());
    }
    if (!this.#timers.has("poll")) this.#timers.after("poll", SOCKET_FIRST_MS, () => void this.#poll());
  }

  async #poll() {
    if (this.#state === "open" || this.#state === "shut") return;
    if (document.visibilityState === "visible") this.#works = await this.#chat.catchUp();
    this.#timers.after("poll", POLL_MS, () => void this.#poll());
  }

  #sayLost() {
    if (this.#state === "open") return;
    if (this.#chat.state.isStarted) {
      const lost = this.#works ? "slow" : "reconnecting";
      set(part(this.#chat, "notice"), this.#chat.texts(navigator.onLine ? lost : "offline"));
    } else {
      part(this.#chat, "loading").hidden = true;
      part(this.#chat, "failure").hidden = false;
    }
    this.#timers.after("notice", SAID_AGAIN_MS, () => this.#sayLost()); // offline may turn into "reconnecting"
  }
}
