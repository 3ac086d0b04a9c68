// @ts-check
/**
 * Private notes: another form than the reply's, in another colour, sent to another address. They
 * are shown between the messages and in the list beside the conversation; both are the same.
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { sends } from "./composer.js";
import { draw } from "./keyed.js";
import { MentionPicker } from "./mention-picker.js";
import { noteRow } from "./note-row.js";
import { newId } from "./outbox.js";
import { Tabs } from "./tabs.js";

/** @typedef {import("./timeline.js").Note} Note */

export class Notes {
  #workspace;
  #texts;
  #tabs;
  #field;
  #picker;
  #row;
  #conversation = /** @type {string | null} */ (null);
  #isSaving = false;
  #unsaved = { text: "", id: "" }; // the same text, sent again, is the same note

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#row = noteRow(this.#texts, workspace.dataset.pageLanguage ?? "");
    this.#field = /** @type {HTMLTextAreaElement} */ (workspace.querySelector("#note-text"));
    this.#tabs = new Tabs(/** @type {Element} */ (workspace.querySelector(".reply-tabs")));
    this.#picker = new MentionPicker(this.#field, part(workspace, "mention-list"), async () => {
      const { agents } = await workspace.api?.call("GET", "/api/workspace/colleagues");
      return agents;
    });
    workspace.addEventListener("subject", () => this.#follow(workspace.known));
    workspace.addEventListener("frame", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    part(workspace, "note-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    this.#field.addEventListener("keydown", (event) => {
      if (event.defaultPrevented || !sends(event)) return;
      event.preventDefault();
      void this.#save();
    });
    this.#field.addEventListener("input", () => this.#keep());
    part(workspace, "notes-write").addEventListener("click", () => this.#write());
    workspace.querySelector("#tab-note")?.addEventListener("click", () => this.#field.focus());
    workspace.querySelector("#tab-reply")?.addEventListener("click", () => workspace.composer?.focus());
    workspace.commands.add({
      id: "note",
      code: "KeyN",
      label: this.#texts("command-note"),
      may: () => this.#conversation !== null,
      run: () => this.#write(),
    });
  }

  #write() {
    const facts = this.#workspace.querySelector("#facts");
    if (facts?.matches("[popover]:popover-open")) /** @type {HTMLElement} */ (facts).hidePopover();
    this.#tabs.show("tab-note");
    this.#field.focus();
  }

  /** @param {string | null} conversation */
  #follow(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation = conversation;
    this.#tabs.show("tab-reply");
    this.#field.value = conversation === null ? "" : (this.#workspace.drafts?.of(`note ${conversation}`) ?? "");
    this.#error("");
    this.#show();
    if (conversation !== null) void this.#load(conversation);
  }

  #keep() {
    if (this.#conversation) this.#workspace.drafts?.keep(this.#field.value, `note ${this.#conversation}`);
  }

  /** @param {any} frame */
  #hear(frame) {
    if (frame.type === "welcome" && this.#conversation) void this.#load(this.#conversation);
    if (frame.type !== "notes" || frame.conversation !== this.#conversation) return;
    const newest = this.#notes().at(-1)?.id ?? 0;
    if (frame.last > newest) void this.#load(frame.conversation);
  }

  /** @returns {readonly Note[]} */
  #notes() {
    return this.#workspace.case?.notes.get(this.#conversation ?? "") ?? [];
  }

  /** @param {string} conversation */
  async #load(conversation) {
    try {
      const { notes } = await this.#workspace.api?.call("GET", this.#path(conversation));
      this.#workspace.case?.notes.set(conversation, notes);
    } catch {
      return; // the next hint or heartbeat tells of them again
    }
    if (conversation === this.#conversation) this.#show();
  }

  /** @param {string} conversation */
  #path(conversation) {
    return `/api/workspace/conversations/${conversation}/notes`;
  }

  async #save() {
    const conversation = this.#conversation;
    const text = this.#field.value.trim();
    if (!conversation || !text || this.#isSaving) return;
    if (this.#unsaved.text !== text) this.#unsaved = { text, id: newId() };
    // Meanwhile the next one may have been begun, here or in another conversation.
    const isStill = (/** @type {string} */ written) => written.trim() === text;
    this.#isSaving = true;
    try {
      const body = { text, mentions: this.#picker.mentioned(text), client_id: this.#unsaved.id };
      const note = await this.#workspace.api?.call("POST", this.#path(conversation), body);
      const others = (this.#workspace.case?.notes.get(conversation) ?? []).filter(({ id }) => id !== note.id);
      this.#workspace.case?.notes.set(conversation, [...others, note]);
      this.#unsaved = { text: "", id: "" };
      const draft = `note ${conversation}`;
      if (isStill(this.#workspace.drafts?.of(draft) ?? "")) this.#workspace.drafts?.keep("", draft);
      if (conversation === this.#conversation) {
        if (isStill(this.#field.value)) this.#field.value = "";
        this.#error("");
        this.#show();
        this.#workspace.case?.log.toEnd();
      }
    } catch (error) {
      this.#error(error instanceof Refused ? error.detail : this.#texts("note-failed"));
    } finally {
      this.#isSaving = false;
    }
  }

  #show() {
    this.#workspace.case?.redraw();
    const notes = this.#notes();
    draw(
      part(this.#workspace, "notes-list"),
      notes.map((note) => ({ key: String(note.id), note })),
      () => {
        const item = document.createElement("li");
        item.append(this.#row.create());
        return item;
      },
      (element, row) => this.#row.update(element, row),
    );
    part(this.#workspace, "notes-none").hidden = notes.length > 0;
    const tab = this.#workspace.querySelector("#tab-notes");
    const count = notes.length;
    if (tab) set(tab, count ? this.#texts("notes-count", { count }) : this.#texts("notes-title"));
  }

  /** @param {string} text "" for none */
  #error(text) {
    set(part(this.#workspace, "note-error"), text);
    this.#field.ariaInvalid = String(text !== "");
  }
}
