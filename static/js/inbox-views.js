// @ts-check
/**
 * The left column of the workspace: which list is shown, what it is narrowed to, and where it goes
 * on. What people have or are to have is live, from the socket; the rest is read page by page.
 * View and filters stand in the address, so that a reload or a link shows the same.
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { inView, NO_FILTERS, passes, VIEWS } from "./inbox.js";
import { Timers } from "./timers.js";

/** What only the server knows is read again after this time while it is on the screen. */
const AGAIN_MS = 30_000;
/** The server lists no more of each kind at once. */
const LISTED_MOST = 100;
/** The server counts no further. */
const COUNTED_MOST = 1_000;

/**
 * @typedef {import("./inbox.js").Entry} Entry
 * @typedef {import("./inbox.js").View} View
 * @typedef {import("./inbox.js").Filters} Filters
 */

export class InboxViews {
  #root;
  #api;
  #texts;
  #list;
  #onShow;
  #timers = new Timers();
  #view = /** @type {View} */ ("mine");
  #isChosen = false; // by the agent; otherwise it follows what there is
  #filters = /** @type {Filters} */ (NO_FILTERS);
  #live = /** @type {readonly Entry[] | null} */ (null); // null until it has come
  #counts = /** @type {Record<string, number>} */ ({});
  #pages = /** @type {Entry[]} */ ([]); // read so far of a view that is not live
  #after = "";
  #reading = 0; // the number of the read that counts
  #state = /** @type {"" | "reading" | "failed"} */ ("");
  #selected = /** @type {string | null} */ (null);
  #seen = /** @type {ReadonlyMap<string, number>} */ (new Map());
  shown = /** @type {Entry[]} */ ([]);

  /**
   * @param {HTMLElement} root the workspace
   * @param {{api: import("./api.js").Api, texts: import("./texts.js").Texts,
   *   list: import("./inbox-list.js").InboxList, onShow: () => void}} options
   *   onShow: called when another list is on the screen
   */
  constructor(root, { api, texts, list, onShow }) {
    this.#root = root;
    this.#api = api;
    this.#texts = texts;
    this.#list = list;
    this.#onShow = onShow;
    this.#readAddress();
    for (const button of this.#tabs) {
      button.addEventListener("click", () => this.choose(/** @type {View} */ (button.dataset.view)));
    }
    part(root, "more").addEventListener("click", () => void this.#read());
    part(root, "list-again").addEventListener("click", () => void this.#read());
    part(root, "filter-toggle").addEventListener("click", () => void this.#toggleFilters());
    part(root, "filter-clear").addEventListener("click", () => this.#narrow(NO_FILTERS));
    part(root, "filters").addEventListener("change", () => this.#narrow(this.#chosenFilters()));
    part(root, "no-match-clear").addEventListener("click", () => this.#narrow(NO_FILTERS));
    if (this.#isNarrowed) void this.#openFilters();
  }

  /** @returns {View} */
  get view() {
    return this.#view;
  }

  /** @param {View} view */
  choose(view) {
    this.#isChosen = true;
    this.#go(view);
  }

  /** The agent has taken what he saw in the queue: he finds it among his own. */
  followTaken() {
    if (this.#view === "queue") this.#go("mine");
  }

  /**
   * @param {readonly Entry[]} live what the socket has brought
   * @param {Record<string, number> | null} counts of all views, where it brought them
   */
  update(live, counts) {
    const isFirst = this.#live === null;
    this.#live = live;
    if (counts) this.#counts = counts;
    if (isFirst && !this.#isLive) void this.#read();
    this.#settle();
  }

  /** @param {string | null} selected @param {ReadonlyMap<string, number>} seen */
  show(selected, seen) {
    this.#selected = selected;
    this.#seen = seen;
    this.#draw();
  }

  /** @param {string} conversation @returns {Entry | null} as far as it has been read */
  find(conversation) {
    return this.#pages.find((one) => one.conversation === conversation) ?? null;
  }

  /** Without a choice: one's own where there are any, else the queue. */
  #settle() {
    if (this.#isChosen || this.#live === null) return;
    const mine = inView([...this.#live], "mine").length;
    if (this.#view === "mine" && !mine) this.#view = "queue";
    else if (this.#view === "queue" && mine && !inView([...this.#live], "queue").length) this.#view = "mine";
  }

  /** @param {View} view */
  #go(view) {
    if (view !== this.#view) {
      this.#view = view;
      this.#startAgain();
    }
    this.#writeAddress();
    this.#onShow();
  }

  /** @param {Filters} filters */
  #narrow(filters) {
    this.#filters = filters;
    this.#isChosen = true;
    this.#fillFilters();
    this.#startAgain();
    this.#writeAddress();
    this.#onShow();
  }

  get #isNarrowed() {
    return Object.values(this.#filters).some(Boolean);
  }

  /** Whether the socket brings all of it. */
  get #isLive() {
    return this.#view === "mine" || this.#view === "queue";
  }

  get #tabs() {
    return /** @type {NodeListOf<HTMLButtonElement>} */ (this.#root.querySelectorAll("[data-view]"));
  }

  // --- Reading ----------------------------------------------------------------------------------

  #startAgain() {
    this.#pages = [];
    this.#after = "";
    this.#reading += 1; // what is on its way is of another list
    this.#state = "";
    this.#timers.clear("again");
    if (!this.#isLive && this.#live !== null) void this.#read();
  }

  /** Read the next page, or the first one. */
  async #read() {
    if (this.#state === "reading") return;
    this.#state = "reading";
    this.#draw();
    const number = (this.#reading += 1);
    try {
      const page = await this.#api.call("GET", this.#path(this.#after));
      if (number !== this.#reading) return;
      this.#state = "";
      this.#after = page.after;
      this.#add(page.conversations);
      this.#timers.after("again", AGAIN_MS, () => void this.#readAgain());
    } catch (error) {
      if (number !== this.#reading) return;
      this.#state = "failed";
      const known = error instanceof Refused ? error.detail : "";
      set(part(this.#root, "list-error-text"), known || this.#texts("list-failed"));
    }
    this.#onShow();
  }

  /** What has come on top since; the pages below stay. */
  async #readAgain() {
    if (this.#isLive || this.#state) return;
    const number = this.#reading;
    try {
      const page = document.hidden ? null : await this.#api.call("GET", this.#path(""));
      if (number !== this.#reading) return;
      if (page) this.#add(page.conversations);
      this.#onShow();
    } catch {
      // Told when somebody asks for more; what is there stays.
    }
    this.#timers.after("again", AGAIN_MS, () => void this.#readAgain());
  }

  /** @param {Entry[]} entries */
  #add(entries) {
    const fresh = new Set(entries.map((one) => one.conversation));
    this.#pages = [...this.#pages.filter((one) => !fresh.has(one.conversation)), ...entries];
  }

  /** @param {string} after */
  #path(after) {
    const asked = new URLSearchParams({ view: this.#view });
    for (const name of /** @type {const} */ (["queue", "label", "language", "intent"])) {
      if (this.#filters[name]) asked.set(name, this.#filters[name]);
    }
    if (this.#filters.waiting) asked.set("waiting_s", this.#filters.waiting);
    if (after) asked.set("after", after);
    return `/api/workspace/conversations?${asked}`;
  }

  // --- Showing ----------------------------------------------------------------------------------

  #draw() {
    const live = this.#live ?? [];
    const now = new Date();
    const isThere = new Set(live.map((one) => one.conversation));
    const read = this.#isLive ? [] : this.#pages.filter((one) => !isThere.has(one.conversation));
    this.shown = inView([...live, ...read], this.#view).filter((one) =>
      passes(one, this.#filters, this.#seen, now),
    );
    this.#list.show(this.shown, this.#selected, this.#seen);
    for (const button of this.#tabs) {
      const view = /** @type {View} */ (button.dataset.view);
      button.ariaPressed = String(view === this.#view);
      set(part(button, "count"), this.#count(view));
    }
    const isReading = this.#state === "reading";
    const isEmpty = this.#live !== null && !this.shown.length && !isReading && this.#state !== "failed";
    for (const view of VIEWS) {
      part(this.#root, `empty-${view}`).hidden = !isEmpty || this.#isNarrowed || view !== this.#view;
    }
    part(this.#root, "no-match").hidden = !isEmpty || !this.#isNarrowed;
    part(this.#root, "loading").hidden = this.#live !== null && !(isReading && !this.shown.length);
    part(this.#root, "list-error").hidden = this.#state !== "failed";
    const more = /** @type {HTMLButtonElement} */ (part(this.#root, "more"));
    more.hidden = this.#isLive || !this.#after || this.#state === "failed";
    more.ariaDisabled = String(isReading);
    const isCut = this.#isLive && Number(this.#counts[this.#view]) > inView([...live], this.#view).length + 1;
    part(this.#root, "cut").hidden = !isCut || !this.shown.length;
    const toggle = part(this.#root, "filter-toggle");
    toggle.classList.toggle("is-active", this.#isNarrowed);
    part(this.#root, "filter-mark").hidden = !this.#isNarrowed;
  }

  /** @param {View} view @returns {string} "" while nobody knows */
  #count(view) {
    if (this.#live === null) return "";
    const told = this.#counts[view] ?? 0;
    const isLive = view === "mine" || view === "queue";
    // Between two whole lists the live one knows better, unless it is cut.
    const listed = inView([...this.#live], view).length;
    const count = isLive && told < LISTED_MOST ? listed : told;
    return count >= COUNTED_MOST ? `${COUNTED_MOST - 1}+` : String(count);
  }

  // --- Filters ----------------------------------------------------------------------------------

  async #toggleFilters() {
    if (part(this.#root, "filters").hidden) await this.#openFilters();
    else this.#hideFilters();
  }

  #hideFilters() {
    part(this.#root, "filters").hidden = true;
    part(this.#root, "filter-toggle").ariaExpanded = "false";
  }

  async #openFilters() {
    part(this.#root, "filters").hidden = false;
    part(this.#root, "filter-toggle").ariaExpanded = "true";
    this.#fillFilters();
    try {
      const { queues, labels } = await this.#api.call("GET", "/api/workspace/filters");
      this.#options("queue", queues);
      this.#options("label", labels);
      this.#fillFilters();
    } catch {
      // The others can be chosen; what is chosen stays.
    }
  }

  /** @param {"queue" | "label"} name @param {{id: number, name: string}[]} choices */
  #options(name, choices) {
    const [all] = this.#select(name).options;
    this.#select(name).replaceChildren(all, ...choices.map(({ id, name: text }) => new Option(text, String(id))));
  }

  #fillFilters() {
    for (const name of /** @type {(keyof Filters)[]} */ (Object.keys(NO_FILTERS))) {
      if (name === "unread") {
        this.#unread.checked = Boolean(this.#filters.unread);
        continue;
      }
      const select = this.#select(name);
      const value = this.#filters[name];
      // Chosen by the address before the choices have come.
      if (![...select.options].some((one) => one.value === value)) select.add(new Option("…", value));
      select.value = value;
    }
  }

  /** @returns {Filters} */
  #chosenFilters() {
    return {
      queue: this.#select("queue").value,
      label: this.#select("label").value,
      language: this.#select("language").value,
      intent: this.#select("intent").value,
      waiting: this.#select("waiting").value,
      unread: this.#unread.checked ? "1" : "",
    };
  }

  /** @param {string} name */
  #select(name) {
    return /** @type {HTMLSelectElement} */ (part(this.#root, `filter-${name}`));
  }

  get #unread() {
    return /** @type {HTMLInputElement} */ (part(this.#root, "filter-unread"));
  }

  // --- The address ------------------------------------------------------------------------------

  #readAddress() {
    const asked = new URLSearchParams(location.search);
    const view = /** @type {View} */ (asked.get("view"));
    if (VIEWS.includes(view)) {
      this.#view = view;
      this.#isChosen = true;
    }
    const filters = { ...NO_FILTERS };
    for (const name of /** @type {(keyof Filters)[]} */ (Object.keys(filters))) {
      filters[name] = asked.get(name) ?? "";
    }
    this.#filters = filters;
  }

  #writeAddress() {
    const asked = new URLSearchParams(location.search);
    asked.set("view", this.#view);
    for (const [name, value] of Object.entries(this.#filters)) {
      if (value) asked.set(name, value);
      else asked.delete(name);
    }
    history.replaceState(history.state, "", `${location.pathname}?${asked}${location.hash}`);
  }
}
