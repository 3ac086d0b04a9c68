// @ts-check
/** The list of conversations in the workspace; its rules are in inbox.js. */
import { part, set } from "./bubbles.js";
import { isUnread, urgency } from "./inbox.js";
import { draw } from "./keyed.js";
import { elapsed } from "./times.js";

/** @typedef {import("./inbox.js").Entry} Entry */

export class InboxList {
  #list;
  #texts;
  #shown = /** @type {readonly Entry[]} */ ([]);

  /** @param {HTMLElement} list @param {import("./texts.js").Texts} texts */
  constructor(list, texts) {
    this.#list = list;
    this.#texts = texts;
  }

  /**
   * @param {readonly Entry[]} inbox in order
   * @param {string | null} selected
   * @param {ReadonlyMap<string, number>} seen the last seq this agent has seen, by conversation
   */
  show(inbox, selected, seen) {
    this.#shown = inbox;
    draw(
      this.#list,
      inbox.map((entry) => ({ key: entry.conversation, entry })),
      ({ entry }) => this.#create(entry),
      (element, { entry }) => this.#update(element, entry, selected, seen),
    );
    this.tick();
  }

  /** @param {string} conversation has the focus then, else the first one; the list where it is empty */
  focus(conversation) {
    const links = [...this.#list.querySelectorAll("a")];
    const its = links.find((link) => link.hash === `#${conversation}`);
    (its ?? links.at(0) ?? this.#list).focus();
  }

  /** Every second: how long they have been waiting. */
  tick() {
    const now = new Date();
    this.#shown.forEach((entry, index) => {
      const element = /** @type {HTMLElement} */ (this.#list.children[index]);
      element.dataset.urgency = urgency(entry, now);
      const since = part(element, "since");
      since.hidden = entry.status !== "WAITING";
      set(since, this.waited(entry, now));
    });
  }

  /** @param {Entry} entry @param {Date} now @returns {string} such as "2 min 5 s" */
  waited(entry, now) {
    const { hours, minutes, seconds } = elapsed(entry.waiting_since, now);
    if (hours) return this.#texts("hours-minutes", { hours, minutes });
    return minutes
      ? this.#texts("minutes-seconds", { minutes, seconds })
      : this.#texts("seconds", { seconds });
  }

  /** @param {Entry} entry @returns {string} a visitor without a name gets the end of his uid */
  nameOf(entry) {
    return entry.customer || this.#texts("visitor", { number: entry.uid.slice(-4).toUpperCase() });
  }

  /** @param {Entry} entry @returns {string} why it waits, and where */
  #reason(entry) {
    const why = entry.is_escalated ? "ESCALATED" : entry.because;
    const words = [
      entry.is_offline ? this.#texts("left-message") : "",
      why ? this.#texts(`because-${why}`) : this.#texts("waiting"),
      entry.queue,
    ];
    return words.filter(Boolean).join(" · ");
  }

  /** @param {Entry} entry */
  #create(entry) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("entry-template"));
    const element = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
    );
    /** @type {HTMLAnchorElement} */ (part(element, "link")).href = `#${entry.conversation}`;
    return element;
  }

  /**
   * @param {HTMLElement} element
   * @param {Entry} entry
   * @param {string | null} selected
   * @param {ReadonlyMap<string, number>} seen
   */
  #update(element, entry, selected, seen) {
    const unread = isUnread(entry, seen);
    element.dataset.status = entry.agent_is_me ? "MINE" : entry.status;
    element.classList.toggle("is-unread", unread);
    part(element, "unread").hidden = !unread;
    part(element, "link").ariaCurrent = entry.conversation === selected ? "true" : null;
    set(part(element, "customer"), this.nameOf(entry));
    set(part(element, "language"), this.#texts(`language-${entry.language}`));
    set(part(element, "text"), entry.last_text);
    const whose = entry.agent_is_me ? "with-me" : "with-agent";
    const isWaiting = entry.status === "WAITING";
    set(
      part(element, "who"),
      isWaiting ? this.#reason(entry) : this.#texts(whose, { agent: entry.agent }),
    );
    element.classList.toggle("is-escalated", entry.is_escalated);
  }
}
