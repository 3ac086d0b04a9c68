// @ts-check
/** Where this agent is named in notes: how many are unread, and the conversations to open. */
import { part, set } from "./bubbles.js";
import { clock, day } from "./times.js";

const PATH = "/api/workspace/mentions";

/** @typedef {{conversation: string, customer: string, author: string, text: string, created_at: string, is_unread: boolean}} Mention */

export class Mentions {
  #workspace;
  #texts;
  #layer;
  #unread = 0;
  #conversation = /** @type {string | null} */ (null);

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#layer = part(workspace, "mentions");
    workspace.addEventListener("frame", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    workspace.addEventListener("subject", () => this.#follow(workspace.subject.conversation));
    this.#layer.addEventListener("toggle", (event) => {
      if (/** @type {ToggleEvent} */ (event).newState === "open") void this.#load();
    });
    this.#show();
  }

  /** @param {any} frame */
  #hear(frame) {
    if (frame.type !== "mentions") return;
    const isMore = frame.unread > this.#unread;
    this.#unread = frame.unread;
    this.#show();
    if (isMore) set(part(this.#workspace, "announcer"), this.#texts("mentions-unread", { count: frame.unread }));
    if (isMore && this.#conversation) void this.#see(this.#conversation);
    if (this.#layer.matches(":popover-open")) void this.#load();
  }

  /** @param {string | null} conversation */
  #follow(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation = conversation;
    if (conversation !== null && this.#unread > 0) void this.#see(conversation);
  }

  /** What stands in the conversation on the screen has been seen. @param {string} conversation */
  async #see(conversation) {
    if (document.visibilityState === "hidden") return;
    try {
      const { unread } = await this.#workspace.api?.call("POST", PATH, { conversation });
      this.#unread = unread;
      this.#show();
    } catch {
      // It stays unread.
    }
  }

  #show() {
    const count = part(this.#workspace, "mentions-count");
    count.hidden = this.#unread === 0;
    set(count, String(this.#unread));
    const key = this.#unread ? "mentions-unread" : "mentions-read";
    part(this.#workspace, "mentions-open").ariaLabel = this.#texts(key, { count: this.#unread });
  }

  async #load() {
    const none = part(this.#layer, "mentions-none");
    try {
      const { mentions, unread } = await this.#workspace.api?.call("GET", PATH);
      this.#unread = unread;
      this.#show();
      none.hidden = mentions.length > 0;
      part(this.#layer, "mentions-list").replaceChildren(
        ...mentions.map((/** @type {Mention} */ mention) => this.#item(mention)),
      );
    } catch {
      this.#workspace.say(this.#texts("mentions-failed"));
    }
  }

  /** @param {Mention} mention */
  #item({ conversation, customer, author, text, created_at, is_unread }) {
    const language = this.#workspace.dataset.pageLanguage ?? "";
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `#${conversation}`;
    link.classList.toggle("is-unread", is_unread);
    link.addEventListener("click", () => this.#layer.hidePopover());
    const head = document.createElement("strong");
    head.textContent = this.#texts("mention-by", { author, customer });
    const said = document.createElement("span");
    said.textContent = text;
    const time = document.createElement("time");
    time.dateTime = created_at;
    time.textContent = `${day(created_at, new Date(), language)} ${clock(created_at, language)}`;
    link.append(head, said, time);
    item.append(link);
    return item;
  }
}
