// @ts-check
/**
 * Taking a message of one's own back, for a short while; supervisors can read what it said.
 */
import { part, set } from "./bubbles.js";

/** @typedef {import("./timeline.js").Message} Message */

export class Recall {
  #workspace;
  #texts;
  #withinMs;
  #isSupervisor;
  #originals = /** @type {Map<string, string>} */ (new Map()); // by conversation and seq

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#withinMs = Number(workspace.dataset.recallS) * 1000;
    this.#isSupervisor = workspace.dataset.supervisor === "true";
    workspace.case?.decorators.push((element, { message }) => this.#decorate(element, message));
    setInterval(() => this.#expire(), 1_000);
  }

  /** @param {HTMLElement} element @param {Message | null} message */
  #decorate(element, message) {
    const may = message !== null && this.#may(message);
    const recall = this.#button(element, "recall", may, () => message && this.#recall(message));
    if (recall && message) recall.dataset.until = String(new Date(message.sent_at).getTime() + this.#withinMs);
    const isShown = this.#isSupervisor && Boolean(message?.recalled_at);
    const said = message ? this.#originals.get(`${message.conversation} ${message.seq}`) : undefined;
    this.#button(element, "recall-original", isShown && said === undefined, () => message && void this.#read(message));
    if (isShown && said !== undefined) {
      let line = element.querySelector(".row-original");
      if (!line) {
        line = document.createElement("p");
        line.className = "row-original";
        element.querySelector(".bubble")?.append(line);
      }
      set(line, said);
    }
  }

  /**
   * @param {HTMLElement} element
   * @param {string} name also the key of its text
   * @param {boolean} isShown
   * @param {() => void} run
   */
  #button(element, name, isShown, run) {
    let button = /** @type {HTMLButtonElement | null} */ (element.querySelector(`.row-${name}`));
    if (!isShown) {
      button?.remove();
      return null;
    }
    if (!button) {
      button = document.createElement("button");
      button.type = "button";
      button.className = `link row-${name}`;
      button.textContent = this.#texts(name);
      button.addEventListener("click", run);
      part(element, "time").parentElement?.append(button);
    }
    return button;
  }

  /** @param {Message} message */
  #may({ sender, author, sent_at, recalled_at }) {
    const isMine = sender === "AGENT" && (!author || author === this.#workspace.me);
    return isMine && !recalled_at && Date.now() - new Date(sent_at).getTime() < this.#withinMs;
  }

  /** @param {Message} message */
  #recall({ conversation, seq, text }) {
    if (!this.#workspace.send({ type: "recall", conversation, seq })) {
      this.#workspace.say(this.#texts("not-connected"));
      return;
    }
    const isEmpty = !this.#workspace.written && this.#workspace.subject.isMine;
    if (isEmpty) this.#workspace.write(text);
    this.#workspace.say(this.#texts(isEmpty ? "recall-edit" : "recall-done"));
  }

  /** @param {Message} message */
  async #read({ conversation, seq }) {
    try {
      const path = `/api/workspace/conversations/${conversation}/recalled/${seq}`;
      const { text } = await this.#workspace.api?.call("GET", path);
      this.#originals.set(`${conversation} ${seq}`, text);
      this.#workspace.case?.redraw();
    } catch {
      this.#workspace.say(this.#texts("recall-failed"));
    }
  }

  /** Its time is over: nothing is offered that the server would refuse. */
  #expire() {
    for (const button of /** @type {NodeListOf<HTMLElement>} */ (this.#workspace.querySelectorAll(".row-recall"))) {
      if (Date.now() > Number(button.dataset.until)) button.remove();
    }
  }
}
