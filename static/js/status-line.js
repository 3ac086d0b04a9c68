// @ts-check
/** Who has the conversation, in words; that it has ended; and whom the page speaks for. */
import { part, set } from "./bubbles.js";
import { waitText } from "./queue.js";

export class StatusLine {
  #chat;

  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    this.#chat = chat;
    chat.on("state", (state) => this.#show(state));
  }

  /** @param {import("./chat.js").ChatState} state */
  #show({ timeline: { status, agent }, place }) {
    const { texts, dataset, tokens } = this.#chat;
    const language = dataset.pageLanguage ?? "";
    dataset.status = status;
    const isPlaced = status === "WAITING" && place;
    set(
      part(this.#chat, "status"),
      isPlaced ? waitText(isPlaced, texts, language, new Date()) : texts(`status-${status}`, { agent }),
    );
    part(this.#chat, "ended").hidden = status !== "CLOSED";
    const name = tokens?.name ?? "";
    part(this.#chat, "signed-in").hidden = !name;
    set(part(this.#chat, "signed-in"), name && texts("signed-in-as", { name }));
  }
}
