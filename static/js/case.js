// @ts-check
/**
 * The conversation on the agent's screen: its log, who it is, who has it, what may be done, and
 * what the assistant understood. It shows; workspace.js decides.
 */
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { MessageLog } from "./message-log.js";

const TYPING_SHOWN_MS = 4_000;
const UNDERSTOOD_MOST = 6;
const ACTIONS = ["take", "hand_back", "close"];

/**
 * @typedef {import("./inbox.js").Entry} Entry
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {import("./timeline.js").Message} Message
 */

export class Case {
  #root;
  #texts;
  #intents;
  #last = /** @type {Entry | null} */ (null); // also after it has left the list

  /**
   * @param {HTMLElement} root the workspace
   * @param {import("./texts.js").Texts} texts
   * @param {{language: string, intents: Record<string, string>, onRead: () => void,
   *   onRetry: (clientId: string) => void, onEdit: (clientId: string) => void,
   *   onRemove: (clientId: string) => void}} options
   *   intents: names by code
   */
  constructor(root, texts, { language, intents, onRead, onRetry, onEdit, onRemove }) {
    this.#root = root;
    this.#texts = texts;
    this.#intents = intents;
    this.log = new MessageLog(
      root,
      {
        me: "AGENT",
        texts,
        language,
        now: () => new Date(),
        seen: (message) => this.#seen(message),
        onRetry,
        onEdit,
        onRemove,
      },
      onRead,
    );
  }

  /** @param {boolean} isOpen false: nothing is chosen */
  open(isOpen) {
    this.#last = null;
    set(part(this.#root, "case-title"), this.#texts("case"));
    this.log.open();
    this.busy("");
    this.#root.classList.toggle("is-reading", isOpen);
    part(this.#root, "nothing").hidden = isOpen;
    part(this.#root, "reading").hidden = !isOpen;
    if (isOpen) this.log.announce();
  }

  /**
   * @param {Timeline} timeline
   * @param {Entry | null} entry null: not in the list (any more)
   * @param {string} name of the customer, "" when it is not known
   * @param {string} me this agent's name
   */
  show(timeline, entry, name, me) {
    const messages = timeline.messages.map((message) => ({ ...message, buttons: [] }));
    this.log.draw({ ...timeline, messages });
    this.#last = entry ?? this.#last;
    const mine = Boolean(entry?.agent_is_me);
    // Waiting, yet not in the list: it has left while nobody told us where to.
    const left = timeline.status === "WAITING" ? "CLOSED" : timeline.status;
    const status = entry?.status ?? left;
    const agent = entry?.agent || timeline.agent;
    const isHere = messages.length + timeline.pending.length > 0;
    part(this.#root, "log-loading").hidden = isHere || (status !== "UNKNOWN" && timeline.lastSeq === 0);
    if (name) set(part(this.#root, "case-title"), name);
    const line = part(this.#root, "case-status");
    line.dataset.status = mine ? "MINE" : status;
    set(line, this.#texts(mine ? "with-me" : `case-${status}`, { agent }));
    set(part(this.#root, "case-uid"), this.#last?.uid ?? "–");
    set(part(this.#root, "case-language"), this.#last ? this.#texts(`language-${this.#last.language}`) : "–");
    set(part(this.#root, "case-agent"), (mine ? me : agent) || "–");
    part(this.#root, "take").hidden = !["WAITING", "BOT"].includes(status);
    part(this.#root, "hand_back").hidden = !mine;
    part(this.#root, "close").hidden = !mine;
    const locked = part(this.#root, "locked");
    locked.hidden = mine || status === "UNKNOWN";
    if (!locked.hidden) set(locked, this.#texts(`locked-${status}`, { agent }));
    this.#showUnderstood(timeline);
  }

  /** @param {string} text how long the customer has been waiting */
  showWaited(text) {
    set(part(this.#root, "case-since"), text);
  }

  /** @param {string} action that the server has not answered yet, "" for none */
  busy(action) {
    for (const name of ACTIONS) {
      const button = part(this.#root, name);
      button.ariaDisabled = String(action !== "");
      button.classList.toggle("is-busy", name === action);
    }
  }

  /** @param {string} action @returns {boolean} */
  may(action) {
    const button = part(this.#root, action);
    return !button.hidden && button.ariaDisabled !== "true";
  }

  showTyping() {
    const text = this.#texts("typing-CUSTOMER");
    this.log.showTyping({ sender: "CUSTOMER", text, ms: TYPING_SHOWN_MS });
  }

  /** @param {Timeline} timeline */
  #showUnderstood(timeline) {
    const newest = timeline.messages.filter((message) => message.intent).slice(-UNDERSTOOD_MOST);
    draw(
      part(this.#root, "understood"),
      newest.reverse().map((message) => ({ key: `${message.conversation} ${message.seq}`, message })),
      () => document.createElement("li"),
      (element, { message }) => set(element, this.#intentOf(message)),
    );
    part(this.#root, "understood-none").hidden = newest.length > 0;
  }

  /** @param {Message} message @returns {string} the line under a bubble, "" for none */
  #seen(message) {
    const decision = message.decision && this.#texts(`decision-${message.decision}`);
    return [message.intent && this.#intentOf(message), decision].filter(Boolean).join(" · ");
  }

  /** @param {Message} message */
  #intentOf({ intent, probability }) {
    const name = this.#intents[intent] ?? intent;
    return typeof probability === "number" ? `${name} ${Math.round(probability * 100)}%` : name;
  }
}
