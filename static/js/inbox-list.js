// @ts-check
/** The list of conversations in the workspace; its rules are in inbox.js. */
import { part, set } from "./bubbles.js";
import { chips } from "./chips.js";
import { isUnread, promised, urgency } from "./inbox.js";
import { draw } from "./keyed.js";
import { duration } from "./monitor-rows.js";
import { clock, day, elapsed } from "./times.js";

/** @typedef {import("./inbox.js").Entry} Entry */

export class InboxList {
  #list;
  #texts;
  #language;
  #shown = /** @type {readonly Entry[]} */ ([]);

  /** @param {HTMLElement} list @param {import("./texts.js").Texts} texts @param {string} language of the page */
  constructor(list, texts, language) {
    this.#list = list;
    this.#texts = texts;
    this.#language = language;
    list.addEventListener("keydown", (event) => this.#pressed(event));
    list.addEventListener("focusin", (event) => this.#rove(/** @type {Element} */ (event.target)));
  }

  /** The arrow keys go through the list, which is one stop of the Tab key. @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const links = this.#links;
    const at = links.indexOf(/** @type {HTMLAnchorElement} */ (document.activeElement));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: links.length - 1 }[event.key];
    if (at < 0 || to === undefined || !links[to]) return;
    event.preventDefault();
    links[to].focus();
  }

  /** @param {Element} focused */
  #rove(focused) {
    const links = this.#links;
    const its = focused.closest("li")?.querySelector("a");
    const stop = its ?? links.find((link) => link.tabIndex === 0) ?? links[0];
    for (const link of links) link.tabIndex = link === stop ? 0 : -1;
  }

  get #links() {
    return [...this.#list.querySelectorAll("a")];
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
    if (this.#links.filter((link) => link.tabIndex === 0).length !== 1) {
      const current = this.#list.querySelector("a[aria-current]");
      this.#rove(current ?? this.#list);
    }
    this.tick();
  }

  /** @param {string} conversation has the focus then, else the first one; the list where it is empty */
  focus(conversation) {
    const links = this.#links;
    const its = links.find((link) => link.hash === `#${conversation}`);
    (its ?? links.at(0) ?? this.#list).focus();
  }

  /** Every second: how long they have been waiting. */
  tick() {
    const now = new Date();
    this.#shown.forEach((entry, index) => {
      const element = /** @type {HTMLElement} */ (this.#list.children[index]);
      element.dataset.urgency = urgency(entry, now);
      set(part(element, "since"), this.#when(entry, now));
      this.#showPromise(part(element, "sla"), entry, now);
    });
  }

  /** @param {HTMLElement} badge @param {Entry} entry @param {Date} now */
  #showPromise(badge, entry, now) {
    const due = promised(entry, now);
    badge.hidden = due === null;
    if (due === null) return;
    badge.classList.toggle("is-missed", due.isMissed);
    const time = duration(due.seconds, this.#texts);
    set(badge, this.#texts(due.isMissed ? "sla-missed" : "sla-due", { time }));
    badge.title = this.#texts(`sla-${entry.sla_kind}`);
  }

  /** @param {Entry} entry @param {Date} now @returns {string} how long it waits, or when it changed hands */
  #when(entry, now) {
    if (entry.status === "WAITING") return this.waited(entry, now);
    if (entry.agent_is_me) return "";
    const isToday = new Date(entry.changed_at).toDateString() === now.toDateString();
    return isToday ? clock(entry.changed_at, this.#language) : day(entry.changed_at, now, this.#language);
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

  /** @param {Entry} entry @returns {string} who has it, or why it waits */
  #who(entry) {
    if (entry.status === "WAITING") return this.#reason(entry);
    if (entry.status !== "AGENT") return this.#texts(`case-${entry.status}`);
    return this.#texts(entry.agent_is_me ? "with-me" : "with-agent", { agent: entry.agent });
  }

  /** @param {Entry} entry */
  #create(entry) {
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("entry-template"));
    const element = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
    );
    const link = /** @type {HTMLAnchorElement} */ (part(element, "link"));
    link.href = `#${entry.conversation}`;
    link.tabIndex = -1; // one of them is the stop of the Tab key
    part(element, "label").dataset.conversation = entry.conversation;
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
    set(part(element, "language"), this.#texts(`tag-${entry.language}`));
    // A line without words is one of files.
    set(part(element, "text"), entry.last_text || (entry.last_customer_seq ? this.#texts("files-only") : ""));
    set(part(element, "who"), this.#who(entry));
    const labels = part(element, "chips");
    const key = JSON.stringify(entry.labels);
    if (labels.dataset.key !== key) {
      labels.dataset.key = key;
      labels.replaceChildren(...chips(entry.labels));
    }
    element.classList.toggle("is-escalated", entry.is_escalated);
  }
}
