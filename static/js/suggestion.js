// @ts-check
/**
 * The reply that the bot would give, above the field: inserted by Alt+S, put away by Escape, and
 * never sent by itself. Not by Tab: with that key one leaves the field.
 *
 * What is sent is compared on the server; nothing here says whether a suggestion was used.
 */
import { chip, part, set } from "./bubbles.js";
import { Timers } from "./timers.js";

/** A customer often writes two lines in a row: one suggestion for both. */
const SETTLES_MS = 800;

/**
 * @typedef {{state: string, message: number | null, intent: string, is_chosen: boolean,
 *   probability: number | null, choices: {intent: string, probability: number}[], text: string,
 *   facts: {name: string, value: string}[], reply: {id: number, url: string} | null}} Suggested
 */

export class Suggestion {
  #workspace;
  #texts;
  #root;
  #timers = new Timers();
  #conversation = /** @type {string | null} */ (null);
  #words = ""; // what it depends on: who has it, and what the customer said last
  #shown = /** @type {Suggested | null} */ (null);
  #used = /** @type {Map<string, number>} */ (new Map()); // seq up to which nothing is wanted, by conversation
  #asked = 0;

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#root = part(workspace, "suggestion");
    workspace.addEventListener("subject", () => this.#follow());
    workspace.commands.add({
      id: "suggestion",
      code: "KeyS",
      label: workspace.texts("command-suggestion"),
      may: () => this.#mayInsert,
      run: () => this.#insert(),
    });
    part(this.#root, "suggestion-insert").addEventListener("click", () => this.#insert());
    part(this.#root, "suggestion-dismiss").addEventListener("click", () => void this.#dismiss());
    // Before the workspace, which goes back to the list by the same key.
    workspace.addEventListener("keydown", (event) => this.#key(event), { capture: true });
  }

  get #mayInsert() {
    return Boolean(this.#shown?.text) && this.#workspace.subject.isMine;
  }

  #follow() {
    const { conversation, status, isMine, timeline } = this.#workspace.subject;
    const lines = timeline?.messages.filter(({ sender }) => ["CUSTOMER", "AGENT"].includes(sender)) ?? [];
    const said = lines.findLast(({ sender }) => sender === "CUSTOMER")?.seq ?? 0;
    const isAnswered = lines.at(-1)?.sender === "AGENT";
    const words = `${status} ${isMine} ${said} ${isAnswered}`;
    const isOther = conversation !== this.#conversation;
    if (!isOther && words === this.#words) return;
    this.#words = words;
    this.#conversation = conversation;
    this.#asked += 1; // what is on its way is for other words
    const isOpen = isMine || status === "WAITING";
    const isWanted = conversation !== null && said > 0 && isOpen && !isAnswered;
    if (isOther || !isWanted) this.#show(null);
    else this.#show(this.#shown); // its buttons depend on who has it
    if (!isWanted) this.#timers.clear("load");
    else this.#timers.after("load", isOther ? 0 : SETTLES_MS, () => void this.#load());
  }

  // --- From the server, and what it is told -------------------------------------------------------

  get #address() {
    return `/api/workspace/conversations/${this.#conversation}/suggestion`;
  }

  async #load() {
    const mine = (this.#asked += 1);
    const after = this.#used.get(this.#conversation ?? "") ?? 0;
    try {
      const found = await this.#workspace.api.call("GET", `${this.#address}?after=${after}`);
      if (mine !== this.#asked) return;
      const isNews = found.message !== null && found.message !== this.#shown?.message;
      if (found.message !== null) this.#show(found);
      if (isNews && this.#mayInsert) set(part(this.#workspace, "suggestion-announcer"), this.#texts("suggestion-announced"));
    } catch {
      // An agent can do without; the next message asks again.
    }
  }

  /** @param {object} word @returns {Promise<Suggested | null>} null: refused, and said so */
  async #tell(word) {
    try {
      return await this.#workspace.api.call("POST", this.#address, word);
    } catch (error) {
      this.#workspace.say(/** @type {any} */ (error).detail || this.#texts("not-connected"));
      return null;
    }
  }

  // --- What the agent does -----------------------------------------------------------------------

  #insert() {
    if (!this.#mayInsert || !this.#shown) return;
    const { text } = this.#shown;
    const written = this.#workspace.written.trimEnd();
    this.#putAway();
    this.#workspace.write(written ? `${written}\n${text}` : text);
    set(part(this.#workspace, "suggestion-announcer"), this.#texts("suggestion-inserted"));
  }

  /** @param {string} intent */
  async #pick(intent) {
    const message = this.#shown?.message;
    const mine = (this.#asked += 1);
    const picked = await this.#tell({ message, intent });
    if (picked && mine === this.#asked) {
      this.#show(picked);
      // The button that was pressed may be gone: the keyboard goes on where it leads.
      part(this.#root, picked.text ? "suggestion-insert" : "suggestion-dismiss").focus();
    }
  }

  async #dismiss() {
    const message = this.#shown?.message;
    const hadFocus = this.#root.contains(document.activeElement);
    this.#putAway();
    if (hadFocus) this.#workspace.write(this.#workspace.written);
    if (message && this.#workspace.subject.isMine) await this.#tell({ message, dismissed: true });
  }

  #putAway() {
    this.#used.set(this.#conversation ?? "", this.#shown?.message ?? 0);
    this.#show(null);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.key !== "Escape" || event.isComposing || this.#root.hidden) return;
    const at = /** @type {Element} */ (event.target);
    if (!this.#root.contains(at) && !at.closest("[data-part=composer]")) return;
    event.stopPropagation();
    void this.#dismiss();
  }

  // --- On the page ---------------------------------------------------------------------------------

  /** @param {Suggested | null} suggested */
  #show(suggested) {
    this.#shown = suggested;
    this.#root.hidden = suggested === null;
    if (suggested === null) {
      set(part(this.#workspace, "suggestion-announcer"), "");
      return;
    }
    const { isMine } = this.#workspace.subject;
    this.#root.dataset.state = suggested.state;
    set(part(this.#root, "suggestion-title"), this.#texts(`suggestion-${suggested.state}`));
    set(part(this.#root, "suggestion-intent"), this.#about(suggested));
    const text = part(this.#root, "suggestion-text");
    text.hidden = !suggested.text;
    set(text, suggested.text);
    const source = /** @type {HTMLAnchorElement} */ (part(this.#root, "suggestion-source"));
    source.hidden = !suggested.reply?.url;
    if (suggested.reply?.url) source.href = suggested.reply.url;
    part(this.#root, "suggestion-facts").replaceChildren(...suggested.facts.map((fact) => this.#fact(fact)));
    part(this.#root, "suggestion-insert").hidden = !this.#mayInsert;
    part(this.#root, "suggestion-dismiss").hidden = !isMine;
    this.#showChoices(suggested, isMine);
  }

  /** @param {Suggested} suggested @param {boolean} isMine */
  #showChoices(suggested, isMine) {
    const others = suggested.choices.filter(({ intent }) => !suggested.text || intent !== suggested.intent);
    const choices = part(this.#root, "suggestion-choices");
    choices.hidden = !isMine || others.length === 0;
    choices.replaceChildren(
      ...others.map(({ intent, probability }) =>
        chip(this.#likely(intent, probability), () => void this.#pick(intent)),
      ),
    );
    const asks = suggested.text ? "suggestion-other" : "suggestion-which";
    const hint = isMine ? asks : "suggestion-take";
    const isEmpty = isMine ? choices.hidden : !suggested.text;
    set(part(this.#root, "suggestion-hint"), isEmpty ? "" : this.#texts(hint));
  }

  /** @param {Suggested} suggested */
  #about({ intent, probability, is_chosen, state }) {
    if (!intent || state === "UNSURE") return "";
    const name = this.#name(intent);
    if (is_chosen) return this.#texts("suggestion-chosen", { intent: name });
    return probability === null ? name : this.#likely(intent, probability);
  }

  /** @param {string} intent @param {number} probability */
  #likely(intent, probability) {
    const percent = Math.round(probability * 100);
    if (percent === 0) return this.#name(intent);
    return this.#texts("suggestion-likely", { intent: this.#name(intent), percent });
  }

  /** @param {string} intent */
  #name(intent) {
    return this.#workspace.case?.intentOf({ intent }) ?? intent;
  }

  /** @param {{name: string, value: string}} fact */
  #fact(fact) {
    const item = document.createElement("li");
    item.textContent = this.#texts("suggestion-fact", fact);
    return item;
  }
}
