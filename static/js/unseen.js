// @ts-check
/**
 * The customer's messages that nobody has looked at: the page is in the background, the chat is
 * folded away, or the end of the log is out of view.
 *
 * @typedef {import("./timeline.js").Timeline} Timeline
 * @typedef {{conversation: string | null, lastSeq: number, seen?: number | null, read?: number}} History
 *   what there was when the page came. seen: the seq up to which this browser has shown it, null
 *   where it does not know; read: the customer's read mark
 */
import { keepSeen, seen } from "./seen.js";
import { completeUpTo } from "./timeline.js";

/**
 * @param {Timeline} before
 * @param {Timeline} after
 * @param {History} history of it, what came while he was away is news, too
 * @returns {number} how many lines of others are new
 */
export function news(before, after, history) {
  const known = [...before.earlier, ...before.messages];
  const mine = known.filter(({ conversation }) => conversation === after.conversation);
  const seqs = new Set(mine.map(({ seq }) => seq));
  const { conversation, lastSeq, seen = null, read = Infinity } = history;
  const upTo = Math.max(read, seen ?? 0);
  const isHistory = (/** @type {import("./timeline.js").Message} */ one) => {
    if (one.conversation !== conversation || one.seq > lastSeq) return false;
    if (one.seq <= upTo || one.recalls || one.recalled_at) return true;
    // Of what agents say alone there are marks: what this browser does not know was read elsewhere.
    return seen === null && one.sender !== "AGENT";
  };
  return after.messages.filter(
    (one) => one.sender !== after.me && !seqs.has(one.seq) && !isHistory(one),
  ).length;
}

export class Unseen {
  #root;
  #isAtEnd;
  #onChange;
  #count = 0;
  #history = /** @type {History | null} */ (null);
  #timeline = /** @type {Timeline | null} */ (null);

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

  /** @param {Timeline} timeline as the first welcome says; what he has seen of it is no news */
  begin({ conversation, lastSeq, read }) {
    const last = seen();
    const isSame = last !== null && last.conversation === conversation;
    this.#history = { conversation, lastSeq, seen: isSame ? last.seq : null, read: read?.customer ?? 0 };
  }

  /** @param {Timeline} before @param {Timeline} after */
  add(before, after) {
    if (this.#history) this.#count += news(before, after, this.#history);
    this.#timeline = after;
    this.look();
  }

  /** Somebody may have looked. */
  look() {
    const isShown = this.#root.getClientRects().length > 0;
    if (document.visibilityState === "visible" && isShown && this.#isAtEnd()) {
      this.#count = 0;
      const { conversation = null } = this.#timeline ?? {};
      if (this.#timeline && conversation) keepSeen({ conversation, seq: completeUpTo(this.#timeline) });
    }
    this.#onChange(this.#count);
    this.#root.dispatchEvent(new CustomEvent("unseen", { detail: this.#count }));
  }
}
