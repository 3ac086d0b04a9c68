// @ts-check
/**
 * Tells the server how far the customer has read: what was on a visible page, at its end.
 * Only lines of agents are worth it; who writes to the bot looks at the answer anyway.
 */
import { unreadOfAgent } from "./timeline.js";
import { Timers } from "./timers.js";

/** Lines that come together are one mark; a line that flits by is not read. */
const LOOKED_MS = 600;
/** A mark that was lost is sent again. */
const AGAIN_MS = 10_000;

export class ReadMarks {
  #chat;
  #timers = new Timers();

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("state", () => this.#look());
    chat.on("unseen", () => this.#look()); // also when the view, or the page, comes back
  }

  get #isLookedAt() {
    const isShown = this.#chat.getClientRects().length > 0;
    return document.visibilityState === "visible" && isShown && (this.#chat.log?.atEnd ?? false);
  }

  #look() {
    const seq = unreadOfAgent(this.#chat.state.timeline);
    if (seq && this.#isLookedAt && !this.#timers.has("mark")) {
      this.#timers.after("mark", LOOKED_MS, () => void this.#mark());
    }
  }

  async #mark() {
    const { timeline } = this.#chat.state;
    const { conversation } = timeline;
    const seq = unreadOfAgent(timeline);
    if (!seq || !conversation || !this.#isLookedAt) return;
    this.#timers.after("mark", AGAIN_MS, () => this.#look());
    if (this.#chat.send({ type: "read", conversation, seq })) return;
    try {
      this.#chat.receive({ ...(await this.#chat.api?.read(conversation, seq)), type: "status" });
    } catch {
      // Not reached either way: the next look tries again.
    }
  }
}
