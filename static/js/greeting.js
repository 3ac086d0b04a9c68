// @ts-check
/** What the customer reads before he has written: a greeting, and questions to choose from. */
import { chip, part } from "./bubbles.js";
import { fill } from "./links.js";

export class Greeting {
  #chat;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("frame", (frame) => frame.type === "welcome" && this.#fill(frame));
    chat.on("state", (state) => this.#show(state));
  }

  /** @param {{greeting?: string, suggestions?: string[]}} welcome */
  #fill({ greeting = "", suggestions = [] }) {
    const row = part(this.#chat, "greeting");
    row.hidden = !greeting;
    fill(part(row, "text"), greeting);
    part(this.#chat, "suggestions").replaceChildren(
      ...suggestions.map((text) => chip(text, () => this.#chat.post(text))),
    );
  }

  /** @param {import("./chat.js").ChatState} state */
  #show({ timeline, isStarted }) {
    const isQuiet = timeline.messages.length === 0 && timeline.pending.length === 0;
    part(this.#chat, "suggestions").hidden = !isQuiet || !isStarted;
  }
}
