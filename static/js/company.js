// @ts-check
/**
 * Who else is at this conversation, and who is writing in it right now. It blocks nobody.
 * Said again every few seconds while it lasts; who has not been heard of is forgotten.
 */
import { part, set } from "./bubbles.js";

const SAID_EVERY_MS = 4_000;
const FORGOTTEN_MS = 9_000;
const WRITING_MS = 5_000;

/** @typedef {{name: string, heardAt: number, wroteAt: number}} Colleague */

export class Company {
  #workspace;
  #texts;
  #here = /** @type {Map<number, Colleague>} */ (new Map());
  #conversation = /** @type {string | null} */ (null);
  #said = /** @type {string | null} */ (null); // the one that the server was told of

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    workspace.addEventListener("subject", () => this.#follow(workspace.subject.conversation));
    workspace.addEventListener("frame", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    document.addEventListener("visibilitychange", () => this.#look());
    workspace.querySelector("#note-text")?.addEventListener("input", () => this.#look(true));
    setInterval(() => this.#look(), SAID_EVERY_MS);
    setInterval(() => this.#show(), 1_000);
  }

  /** @param {string | null} conversation */
  #follow(conversation) {
    if (conversation === this.#conversation) return;
    this.#conversation = conversation;
    this.#here.clear();
    this.#look();
    this.#show();
  }

  /** Tell colleagues that this agent has it on his screen. @param {boolean} [writing] */
  #look(writing = false) {
    const conversation = document.visibilityState === "hidden" ? null : this.#conversation;
    if (conversation === null && this.#said === null) return;
    if (this.#workspace.send({ type: "looking", conversation, writing })) this.#said = conversation;
  }

  /** @param {any} frame */
  #hear(frame) {
    if (frame.type === "messages" && frame.conversation === this.#conversation && this.#said === null) this.#look();
    if (frame.type === "welcome") this.#said = null; // another socket: it knows nothing yet
    if (frame.type !== "company" || frame.conversation !== this.#conversation) return;
    if (frame.state === "gone") {
      this.#here.delete(frame.agent);
    } else {
      const now = performance.now();
      const wroteAt = frame.state === "writing" ? now : (this.#here.get(frame.agent)?.wroteAt ?? -Infinity);
      this.#here.set(frame.agent, { name: frame.name, heardAt: now, wroteAt });
    }
    this.#show();
  }

  #show() {
    const now = performance.now();
    for (const [agent, { heardAt }] of this.#here) {
      if (now - heardAt > FORGOTTEN_MS) this.#here.delete(agent);
    }
    const all = [...this.#here.values()];
    const writing = all.filter(({ wroteAt }) => now - wroteAt < WRITING_MS);
    const shown = writing.length ? writing : all;
    const names = shown.map(({ name }) => name).join(this.#texts("company-and"));
    const key = `company-${writing.length ? "writing" : "here"}${shown.length > 1 ? "-many" : ""}`;
    const line = part(this.#workspace, "company");
    line.hidden = shown.length === 0;
    line.classList.toggle("is-writing", writing.length > 0);
    set(line, shown.length ? this.#texts(key, { names }) : "");
  }
}
