// @ts-check
/**
 * The scrolling log of one conversation, for customers and agents: draws a timeline, keeps the end
 * in view unless somebody reads above, shows who is writing, and lets screen readers hear new
 * messages only.
 */
import { create, part, set, update } from "./bubbles.js";
import { draw } from "./keyed.js";
import { rows } from "./timeline.js";
import { Timers } from "./timers.js";

/** Nearer to the end than this, new messages scroll into view. */
const NEAR_PX = 120;
/** What comes within this time after opening is history, not news. */
const HISTORY_MS = 1_000;
/** How long a line that was looked for is marked. */
const FOUND_MS = 3_000;

export class MessageLog {
  #scroll;
  #log;
  #typing;
  #options;
  #timers = new Timers();
  #atEnd = true;

  /**
   * @param {Element} root holds the parts scroll, log and typing
   * @param {import("./bubbles.js").Options} options
   * @param {() => void} onScroll called when what is in view has changed
   */
  constructor(root, options, onScroll) {
    this.#scroll = part(root, "scroll");
    this.#log = part(root, "log");
    this.#typing = part(root, "typing");
    this.#options = options;
    this.#scroll.addEventListener("scroll", () => {
      const { scrollHeight, scrollTop, clientHeight } = this.#scroll;
      this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      onScroll();
    });
    // A phone's keyboard, a growing field or a notice takes room: the end stays in view.
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#scroll);
  }

  /** Whether the newest message is in view. */
  get atEnd() {
    return this.#atEnd;
  }

  /** Empty it for another conversation, whose history is not announced. */
  open() {
    this.#log.setAttribute("aria-live", "off");
    this.#log.replaceChildren();
    this.#atEnd = true;
    this.hideTyping();
  }

  /** The history is here: what comes from now on is news. */
  announce() {
    this.#timers.after("announce", HISTORY_MS, () => this.#log.setAttribute("aria-live", "polite"));
  }

  /** @param {import("./timeline.js").Timeline} timeline */
  draw(timeline) {
    draw(
      this.#log,
      rows(timeline),
      (row) => create(row, this.#options),
      (element, row) => update(element, row, this.#options),
    );
    if (this.#atEnd) this.toEnd();
  }

  /**
   * Bring a message into view and mark it for a moment.
   *
   * @param {{conversation: string, seq: number, client_id: string | null}} message
   * @returns {boolean} false: it is not drawn
   */
  reveal({ conversation, seq, client_id }) {
    const key = CSS.escape(client_id ?? `${conversation} ${seq}`);
    const row = this.#log.querySelector(`[data-row-key="${key}"]`);
    if (!row) return false;
    this.#atEnd = false;
    for (const before of this.#log.querySelectorAll(".is-found")) before.classList.remove("is-found");
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-found");
    this.#timers.after("found", FOUND_MS, () => row.classList.remove("is-found"));
    return true;
  }

  toEnd() {
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
    this.#atEnd = true;
  }

  /**
   * @param {{sender: string, text: string, initial?: string, ms: number}} who
   *   initial: the letter in the circle; ms: how long, unless something comes before
   */
  showTyping({ sender, text, initial = "", ms }) {
    this.#typing.hidden = false;
    this.#typing.dataset.sender = sender;
    set(part(this.#typing, "typing-text"), text);
    set(part(this.#typing, "avatar"), initial);
    if (this.#atEnd) this.toEnd();
    this.#timers.after("typing", ms, () => this.hideTyping());
  }

  hideTyping() {
    this.#timers.clear("typing");
    this.#typing.hidden = true;
  }
}
