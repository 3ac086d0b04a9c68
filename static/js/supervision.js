// @ts-check
/**
 * What supervisors do beside a conversation that a colleague has: take it over, whisper. And the
 * whispers themselves, which the agent reads between the messages, live. They come from an address
 * of their own; the socket only says that there are new ones.
 *
 * @typedef {{id: number, text: string, author: string, is_mine: boolean, after_seq: number,
 *   sent_at: string}} Whisper
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { sends } from "./composer.js";
import { newId } from "./outbox.js";

export class Supervision {
  #workspace;
  #texts;
  #isSupervisor;
  #conversation = /** @type {string | null} */ (null);
  #isMine = false;
  #isSending = false;
  #unsent = { text: "", id: "" }; // the same text, sent again, is the same whisper

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#isSupervisor = workspace.dataset.supervisor === "true";
    workspace.addEventListener("subject", () => this.#follow(workspace.subject));
    workspace.addEventListener("frame", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    if (!this.#isSupervisor) return;
    this.#listen();
    workspace.commands.add({
      id: "whisper",
      code: "KeyW",
      label: this.#texts("command-whisper"),
      may: () => this.#isOthers,
      run: () => this.#write(),
    });
  }

  #listen() {
    const dialog = /** @type {HTMLDialogElement} */ (part(this.#workspace, "take-from-dialog"));
    let asked = /** @type {string | null} */ (null); // the conversation that the dialog is about
    part(this.#workspace, "take-from").addEventListener("click", () => {
      asked = this.#conversation;
      dialog.returnValue = "";
      set(part(dialog, "take-from-text"), this.#texts("take-from", { agent: this.#agent }));
      dialog.showModal();
    });
    dialog.addEventListener("close", () => {
      const isOnScreen = asked === this.#workspace.subject.conversation;
      if (dialog.returnValue === "yes" && isOnScreen) this.#workspace.act("take", { from_colleague: true });
    });
    const form = part(this.#workspace, "whisper-form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (!sends(event)) return;
      event.preventDefault();
      void this.#send();
    });
    this.#workspace.querySelector("#tab-whisper")?.addEventListener("click", () => this.#field.focus());
  }

  get #field() {
    return /** @type {HTMLTextAreaElement} */ (this.#workspace.querySelector("#whisper-text"));
  }

  /** Whether a colleague has what is on the screen. */
  get #isOthers() {
    const { conversation, status, isMine } = this.#workspace.subject;
    return conversation !== null && status === "AGENT" && !isMine;
  }

  get #agent() {
    const { entry, timeline } = this.#workspace.subject;
    return entry?.agent || timeline?.agent || "";
  }

  #write() {
    /** @type {HTMLElement | null} */ (this.#workspace.querySelector("#tab-whisper"))?.click();
    this.#field.focus();
  }

  // --- What is on the screen ---------------------------------------------------------------------

  /** @param {import("./workspace.js").Subject} subject */
  #follow({ conversation, isMine }) {
    const isNew = conversation !== this.#conversation || (isMine && !this.#isMine);
    this.#isMine = isMine;
    if (conversation !== this.#conversation && this.#isSupervisor) {
      this.#field.value = "";
      this.#error("");
    }
    this.#conversation = conversation;
    // Others would only be refused.
    if (isNew && conversation !== null && (isMine || this.#isSupervisor)) void this.#load(conversation);
    if (this.#isSupervisor) this.#show();
  }

  #show() {
    const isOthers = this.#isOthers;
    part(this.#workspace, "take-from").hidden = !isOthers;
    part(this.#workspace, "whisper-form").hidden = !isOthers;
    part(this.#workspace, "whisper-nobody").hidden = isOthers;
    if (!isOthers) return;
    set(part(this.#workspace, "whisper-label"), this.#texts("whisper-to", { agent: this.#agent }));
  }

  // --- Whispers ----------------------------------------------------------------------------------

  /** @param {any} frame */
  #hear(frame) {
    if (frame.type === "welcome" && this.#conversation && (this.#isMine || this.#isSupervisor)) {
      void this.#load(this.#conversation); // what was whispered meanwhile
    }
    if (frame.type === "whispers") void this.#load(frame.conversation, true);
  }

  /** @param {string} conversation @param {boolean} [isNews] something has just been whispered */
  async #load(conversation, isNews = false) {
    try {
      const { whispers } = await this.#workspace.api?.call("GET", `/api/workspace/conversations/${conversation}/whispers`);
      this.#keep(conversation, whispers);
      const newest = whispers.at(-1);
      if (isNews && newest && !newest.is_mine) {
        this.#workspace.say(this.#texts("whisper-new", { author: newest.author }));
      }
    } catch {
      // The next hint, or the next time it is opened, brings them.
    }
  }

  /** @param {string} conversation @param {Whisper[]} whispers */
  #keep(conversation, whispers) {
    const rows = whispers.map(({ sent_at, ...one }) => ({ ...one, created_at: sent_at, mentions: [], is_whisper: true }));
    this.#workspace.case?.whispers.set(conversation, rows);
    if (conversation === this.#conversation) this.#workspace.case?.redraw();
  }

  async #send() {
    const conversation = this.#conversation;
    const text = this.#field.value.trim();
    if (!conversation || !text || this.#isSending) return;
    if (this.#unsent.text !== text) this.#unsent = { text, id: newId() };
    this.#isSending = true;
    try {
      await this.#workspace.api?.call("POST", `/api/workspace/conversations/${conversation}/whisper`, { text, client_id: this.#unsent.id });
      this.#unsent = { text: "", id: "" };
      const isStill = this.#field.value.trim() === text; // the next one may have been begun
      if (conversation === this.#conversation && isStill) this.#field.value = "";
      this.#error("");
      await this.#load(conversation);
      this.#workspace.case?.log.toEnd();
    } catch (error) {
      this.#error(error instanceof Refused ? error.detail : this.#texts("whisper-failed"));
    } finally {
      this.#isSending = false;
    }
  }

  /** @param {string} text "" for none */
  #error(text) {
    set(part(this.#workspace, "whisper-error"), text);
    this.#field.ariaInvalid = String(text !== "");
  }
}
