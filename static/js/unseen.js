// @ts-check
/**
 * The customer's messages that nobody has looked at: the page is in the background, the chat is
 * folded away, or the end of the log is out of view.
 *
 * @typedef {import("./timeline.js").Timeline} Timeline
 */

/**
 * @param {Timeline} before
 * @param {Timeline} after
 * @param {{conversation: string | null, lastSeq: number}} history what was there when the page came
 * @returns {number} how many lines of others are new
 */
export function news(before, after, history) {
  const known = before.conversation === after.conversation ? before.messages : [];
  const seqs = new Set(known.map(({ seq }) => seq));
  const isHistory = (/** @type {import("./timeline.js").Message} */ { conversation, seq }) =>
    conversation === history.conversation && seq <= history.lastSeq;
  return after.messages.filter(
    (one) => one.sender !== after.me && !seqs.has(one.seq) && !isHistory(one),
  ).length;
}

export class Unseen {
  #root;
  #isAtEnd;
  #onChange;
  #count = 0;
  #history = /** @type {Timeline | null} */ (null);

  /**
   * @param {HTMLElement} root the chat, which tells its page the number by the event "unseen"
   * @param {() => boolean} isAtEnd whether the newest message is in view, as far as the log goes
   * @param {(count: number) => void} onChange also called when only the view has changed
   */
  constructor(root, isAtEnd, onChange) {
    this.#root = root;
    this.#isAtEnd = isAtEnd;
    this.#onChange = onChange;
    document.addEventListener("visibilitychange", () => this.look());
    new ResizeObserver(() => this.look()).observe(root); // also when it is unfolded
  }

  /** @param {Timeline} history what it holds, or has been told of, is no news */
  begin(history) {
    this.#history = history;
  }

  /** @param {Timeline} before @param {Timeline} after */
  add(before, after) {
    if (this.#history) this.#count += news(before, after, this.#history);
    this.look();
  }

  /** Somebody may have looked. */
  look() {
    const isShown = this.#root.getClientRects().length > 0;
    if (document.visibilityState === "visible" && isShown && this.#isAtEnd()) this.#count = 0;
    this.#onChange(this.#count);
    this.#root.dispatchEvent(new CustomEvent("unseen", { detail: this.#count }));
  }
}
