// @ts-check
/** The dialog in which an agent writes canned replies of his own. */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";

/** @typedef {{id: number, shortcut: string, title: string, text_zh: string, text_en: string}} OwnReply */

const PATH = "/api/workspace/canned-replies";
const FIELDS = /** @type {const} */ (["shortcut", "title", "text_zh", "text_en"]);

export class OwnReplies {
  #workspace;
  #texts;
  #dialog;
  #form;
  #onChange;
  #chosen = /** @type {OwnReply | null} */ (null); // null: a new one

  /**
   * @param {import("./workspace.js").CsWorkspace} workspace
   * @param {() => void} onChange
   */
  constructor(workspace, onChange) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#onChange = onChange;
    this.#dialog = /** @type {HTMLDialogElement} */ (part(workspace, "canned-dialog"));
    this.#form = /** @type {HTMLFormElement} */ (part(workspace, "own-form"));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    part(workspace, "own-close").addEventListener("click", () => this.#dialog.close());
    part(workspace, "own-new").addEventListener("click", () => this.#edit(null));
    part(workspace, "own-delete").addEventListener("click", () => void this.#delete());
  }

  async open() {
    this.#edit(null);
    this.#dialog.showModal();
    await this.#list();
  }

  async #list() {
    try {
      const { replies } = await this.#workspace.api?.call("GET", PATH);
      const items = replies.map((/** @type {OwnReply} */ reply) => {
        const item = document.createElement("li");
        const button = document.createElement("button");
        button.type = "button";
        button.className = "chip";
        button.textContent = `/${reply.shortcut} ${reply.title}`;
        button.addEventListener("click", () => this.#edit(reply));
        item.append(button);
        return item;
      });
      part(this.#dialog, "own-list").replaceChildren(...items);
    } catch {
      this.#error(this.#texts("canned-failed"));
    }
  }

  /** @param {OwnReply | null} reply null for a new one */
  #edit(reply) {
    this.#chosen = reply;
    for (const name of FIELDS) this.#input(name).value = reply?.[name] ?? "";
    this.#wrong({});
    this.#error("");
    part(this.#dialog, "own-delete").hidden = reply === null;
    part(this.#dialog, "own-new").hidden = reply === null;
    const heading = reply ? this.#texts("canned-change", { shortcut: reply.shortcut }) : this.#texts("canned-new");
    set(part(this.#dialog, "own-heading"), heading);
    this.#input("shortcut").focus();
  }

  async #save() {
    const body = Object.fromEntries(FIELDS.map((name) => [name, this.#input(name).value]));
    const id = this.#chosen?.id;
    await this.#change(id ? "PUT" : "POST", id ? `${PATH}/${id}` : PATH, body);
  }

  async #delete() {
    if (this.#chosen) await this.#change("DELETE", `${PATH}/${this.#chosen.id}`);
  }

  /** @param {string} method @param {string} path @param {object} [body] */
  async #change(method, path, body) {
    try {
      await this.#workspace.api?.call(method, path, body);
    } catch (error) {
      const fields = error instanceof Refused ? error.fields : {};
      this.#wrong(fields);
      const isSaid = Object.keys(fields).some((name) => FIELDS.some((one) => one === name));
      const detail = error instanceof Refused ? error.detail : this.#texts("canned-not-saved");
      this.#error(isSaid ? "" : detail);
      return;
    }
    this.#edit(null);
    this.#error(this.#texts("canned-saved"));
    this.#onChange();
    await this.#list();
  }

  /** Say at each field what is wrong with it. @param {Record<string, string[]>} fields */
  #wrong(fields) {
    for (const name of FIELDS) {
      const texts = fields[name] ?? [];
      const line = this.#dialog.querySelector(`#own-${name}-error`);
      if (line) set(line, texts.join(" "));
      this.#input(name).ariaInvalid = String(texts.length > 0);
    }
    const first = FIELDS.find((name) => fields[name]);
    if (first) this.#input(first).focus();
  }

  /** @param {string} text */
  #error(text) {
    set(part(this.#dialog, "own-error"), text);
  }

  /** @param {string} name */
  #input(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }
}
