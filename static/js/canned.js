// @ts-check
/**
 * Canned replies: "/" at the start of the field, Alt+C or the button opens the list above it; what
 * is typed filters it, Enter puts the reply into the field. The server has filled in the facts of
 * this customer; what it does not know stays as {variable}, marked, and is not sent like that.
 */
import { part, set } from "./bubbles.js";
import { found, hole } from "./canned-search.js";
import { OwnReplies } from "./canned-own.js";
import { sends } from "./composer.js";
import { draw } from "./keyed.js";

const VARIABLES = new Set([
  "customer_name", "order_number", "order_status", "carrier", "tracking_number", "product_name",
  "order_total", "currency", "placed_on", "days_since_order", "agent_hours", "agent_name", "shop_name",
]);

/** @typedef {import("./canned-search.js").Reply} Reply */

export class CannedReplies {
  #workspace;
  #texts;
  #panel;
  #search;
  #field;
  #button;
  #replies = /** @type {readonly Reply[]} */ ([]);
  #of = /** @type {string | null} */ (null); // the conversation that they are worded for
  #shown = /** @type {Reply[]} */ ([]);
  #chosen = 0;
  #trigger = ""; // what was typed to open it, given back by Escape

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#panel = part(workspace, "canned");
    this.#search = /** @type {HTMLInputElement} */ (workspace.querySelector("#canned-search"));
    this.#field = /** @type {HTMLTextAreaElement} */ (workspace.querySelector("#case-text"));
    this.#button = /** @type {HTMLButtonElement} */ (part(workspace, "canned-open"));
    const own = new OwnReplies(workspace, () => void this.#load());
    this.#listen();
    part(workspace, "canned-own").addEventListener("click", () => {
      this.close();
      void own.open();
    });
    workspace.commands.add({
      id: "canned",
      code: "KeyC",
      label: this.#texts("command-canned"),
      may: () => !this.#field.disabled,
      run: () => this.open(),
    });
  }

  #listen() {
    const workspace = this.#workspace;
    workspace.addEventListener("subject", () => {
      const { conversation } = workspace.subject;
      if (this.#of !== null && conversation !== this.#of) this.close();
      // As the field: workspace.js decides whether it may be written in.
      queueMicrotask(() => {
        this.#button.disabled = this.#field.disabled;
        if (this.#field.disabled) this.close();
      });
    });
    this.#button.addEventListener("click", () => (this.#panel.hidden ? this.open() : this.#leave()));
    part(workspace, "canned-close").addEventListener("click", () => this.#leave());
    this.#field.addEventListener("input", (event) => {
      const { value } = this.#field;
      // A Chinese keyboard gives 、 or ／ for the same key.
      const isTyped = /** @type {InputEvent} */ (event).inputType?.startsWith("insert");
      if (isTyped && ["/", "、", "／"].includes(value)) this.open(value);
    });
    this.#search.addEventListener("input", () => this.#filter());
    this.#search.addEventListener("keydown", (event) => this.#key(event));
    this.#panel.addEventListener("focusout", (event) => {
      const to = /** @type {Node | null} */ (event.relatedTarget);
      if (to && !this.#panel.contains(to) && to !== this.#button) this.close();
    });
    const form = /** @type {HTMLFormElement} */ (part(workspace, "composer"));
    form.addEventListener("submit", (event) => this.#guard(event), true);
    form.addEventListener("keydown", (event) => sends(event) && this.#guard(event), true);
  }

  /** @param {string} [trigger] typed into the empty field */
  open(trigger = "") {
    if (this.#field.disabled) return;
    this.#trigger = trigger;
    if (trigger) this.#workspace.write("");
    this.#search.value = "";
    this.#panel.hidden = false;
    this.#button.ariaExpanded = "true";
    this.#filter();
    this.#search.focus();
    void this.#load();
  }

  close() {
    this.#panel.hidden = true;
    this.#button.ariaExpanded = "false";
  }

  /** Close it, and give back what was typed to open it. */
  #leave() {
    const typed = this.#trigger && this.#trigger + this.#search.value;
    this.close();
    if (typed && !this.#field.value) this.#workspace.write(typed);
    this.#field.focus();
  }

  async #load() {
    const { conversation } = this.#workspace.subject;
    if (!conversation) return;
    if (this.#of !== conversation) this.#replies = [];
    this.#of = conversation;
    try {
      const path = `/api/workspace/conversations/${conversation}/canned-replies`;
      const { replies } = await this.#workspace.api?.call("GET", path);
      if (this.#of !== conversation) return; // another one is on the screen by now
      this.#replies = replies;
      this.#filter();
    } catch {
      if (!this.#replies.length) this.#tell(this.#texts("canned-failed"));
    }
  }

  #filter() {
    this.#shown = found(this.#replies, this.#search.value);
    this.#chosen = 0;
    const isNone = this.#of !== null && this.#replies.length > 0 && !this.#shown.length;
    this.#tell(isNone ? this.#texts("canned-none") : "");
    this.#show();
  }

  /** @param {string} text "" for nothing */
  #tell(text) {
    const line = part(this.#workspace, "canned-none");
    line.hidden = !text;
    set(line, text);
  }

  #show() {
    const list = part(this.#panel, "canned-list");
    draw(
      list,
      this.#shown.map((reply, at) => ({ key: String(reply.id), reply, at })),
      ({ reply }) => this.#option(reply.id),
      (element, { reply, at }) => {
        element.ariaSelected = String(at === this.#chosen);
        set(part(element, "shortcut"), `/${reply.shortcut}`);
        set(part(element, "title"), reply.title);
        part(element, "own").hidden = !reply.is_own;
      },
    );
    const reply = this.#shown[this.#chosen];
    this.#search.setAttribute("aria-activedescendant", reply ? `canned-${reply.id}` : "");
    document.getElementById(`canned-${reply?.id}`)?.scrollIntoView({ block: "nearest" });
    this.#preview(reply);
  }

  /** @param {number} id @returns {HTMLElement} */
  #option(id) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("canned-option-template"));
    const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
    const option = /** @type {HTMLElement} */ (copy.firstElementChild);
    option.id = `canned-${id}`;
    // Before the focus leaves the search field.
    option.addEventListener("pointerdown", (event) => event.preventDefault());
    option.addEventListener("pointermove", () => this.#choose(this.#at(id)));
    option.addEventListener("click", () => this.#insert(this.#shown[this.#at(id)]));
    return option;
  }

  /** @param {number} id */
  #at(id) {
    return this.#shown.findIndex((reply) => reply.id === id);
  }

  /** @param {number} at */
  #choose(at) {
    if (at < 0 || at === this.#chosen) return;
    this.#chosen = at;
    this.#show();
  }

  /** @param {Reply | undefined} reply */
  #preview(reply) {
    const view = part(this.#panel, "canned-preview");
    const text = document.createElement("p");
    text.lang = reply?.language ?? "";
    for (const piece of (reply?.text ?? "").split(/(\{[a-z_]+\})/)) {
      const name = piece.slice(1, -1);
      if (!piece.startsWith("{") || !reply?.missing.includes(name)) {
        text.append(piece);
        continue;
      }
      const mark = document.createElement("mark");
      mark.textContent = this.#texts(`variable-${name}`);
      text.append(mark);
    }
    const notes = [];
    if (reply?.missing.length) {
      const names = reply.missing.map((name) => this.#texts(`variable-${name}`)).join(" · ");
      notes.push(this.#texts("canned-missing", { names }));
    }
    const spoken = this.#workspace.subject.entry?.language;
    if (reply && spoken && reply.language !== spoken) notes.push(this.#texts("canned-other-language"));
    view.replaceChildren(
      text,
      ...notes.map((note) => {
        const line = document.createElement("p");
        line.className = "canned-note";
        line.textContent = note;
        return line;
      }),
    );
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.isComposing || event.keyCode === 229) return; // the input method has it
    const last = this.#shown.length - 1;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => this.#choose(this.#chosen >= last ? 0 : this.#chosen + 1),
      ArrowUp: () => this.#choose(this.#chosen <= 0 ? last : this.#chosen - 1),
      Enter: () => this.#insert(this.#shown[this.#chosen]),
      Escape: () => this.#leave(),
    };
    const act = event.altKey || event.ctrlKey || event.metaKey ? undefined : keys[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @param {Reply | undefined} reply */
  #insert(reply) {
    if (!reply) return;
    this.close();
    const { selectionStart, selectionEnd } = this.#field;
    this.#field.setRangeText(reply.text, selectionStart, selectionEnd, "end");
    this.#field.dispatchEvent(new Event("input", { bubbles: true }));
    this.#field.focus();
    this.#select();
  }

  /** Select the first variable that is not filled in. @returns {string} its name, "" for none */
  #select() {
    const open = hole(this.#field.value, (name) => VARIABLES.has(name));
    if (!open) return "";
    this.#field.focus();
    this.#field.setSelectionRange(open.start, open.end);
    return open.name;
  }

  /** Keep a text with a hole in it from being sent. @param {Event} event */
  #guard(event) {
    const name = this.#select();
    if (!name) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#workspace.say(this.#texts("canned-hole", { name: this.#texts(`variable-${name}`) }));
  }
}
