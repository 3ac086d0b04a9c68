// @ts-check
/**
 * The conversation on the agent's screen: its log, who it is, who has it and what may be done.
 * It shows; workspace.js decides. What stands beside it is in panel.js.
 */
import { part, set } from "./bubbles.js";
import { FileViews } from "./file-views.js";
import { MessageLog } from "./message-log.js";
import { noteRow } from "./note-row.js";

const TYPING_SHOWN_MS = 4_000;
const ACTIONS = ["take", "hand_back", "close", "transfer"];

/**
 * @typedef {import("./inbox.js").Entry} Entry
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {import("./timeline.js").Message} Message
 */

export class Case {
  #root;
  #texts;
  #intents;
  #drawn = /** @type {Timeline | null} */ (null);
  /** What colleagues have noted, by conversation; drawn between the messages. */
  notes = /** @type {Map<string, readonly import("./timeline.js").Note[]>} */ (new Map());
  /** What supervisors have whispered, drawn likewise. */
  whispers = /** @type {Map<string, readonly import("./timeline.js").Note[]>} */ (new Map());
  /** What stands beside the conversation may add to each message as it is drawn. */
  decorators = /** @type {NonNullable<import("./bubbles.js").Options["decorate"]>[]} */ ([]);

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
        note: noteRow(texts, language),
        decorate: (element, row) => {
          for (const decorate of this.decorators) decorate(element, row);
        },
        onRetry,
        onEdit,
        onRemove,
        files: new FileViews(/** @type {import("./file-views.js").Host} */ (root)),
      },
      onRead,
    );
  }

  /** @param {boolean} isOpen false: nothing is chosen */
  open(isOpen) {
    set(part(this.#root, "case-title"), this.#texts("case"));
    this.#drawn = null;
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
   */
  show(timeline, entry, name) {
    const messages = timeline.messages.map((message) => ({ ...message, buttons: [] }));
    this.#drawn = { ...timeline, messages };
    this.redraw();
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
    part(this.#root, "take").hidden = !["WAITING", "BOT"].includes(status);
    part(this.#root, "hand_back").hidden = !mine;
    part(this.#root, "close").hidden = !mine;
    const maySupervise = this.#root.dataset.supervisor === "true" && ["WAITING", "AGENT"].includes(status);
    part(this.#root, "transfer").hidden = !mine && !maySupervise;
    const locked = part(this.#root, "locked");
    locked.hidden = mine || status === "UNKNOWN";
    if (!locked.hidden) set(locked, this.#texts(`locked-${status}`, { agent }));
  }

  /** Draw the log again: notes, or what is added to messages, are others now. */
  redraw() {
    const timeline = this.#drawn;
    if (!timeline) return;
    const conversation = timeline.conversation ?? "";
    const notes = [...(this.notes.get(conversation) ?? []), ...(this.whispers.get(conversation) ?? [])];
    notes.sort((one, other) => one.after_seq - other.after_seq || one.created_at.localeCompare(other.created_at));
    this.log.draw({ ...timeline, notes });
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

  /** @param {Message} message @returns {string} the line under a bubble, "" for none */
  #seen(message) {
    const decision = message.decision && this.#texts(`decision-${message.decision}`);
    return [message.intent && this.intentOf(message), decision].filter(Boolean).join(" · ");
  }

  /** @param {{intent: string, probability?: number | null}} message @returns {string} */
  intentOf({ intent, probability }) {
    const name = this.#intents[intent] ?? intent;
    return typeof probability === "number" ? `${name} ${Math.round(probability * 100)}%` : name;
  }
}
