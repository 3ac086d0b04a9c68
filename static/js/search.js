// @ts-check
/**
 * Search in the workspace: what was said and who said it, over all conversations. While there is
 * something in the field, what was found stands in the place of the list.
 *
 * @typedef {{conversation: string, customer: string, uid: string, status: string,
 *   seq: number | null, sender: string, excerpt: string, at: string}} Hit
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { marked } from "./highlight.js";
import { Timers } from "./timers.js";
import { clock, day } from "./times.js";

const AFTER_TYPING_MS = 250;
const SHORTEST = 2;
/** The fields below the search stay so long: what lies under them must not move under a click. */
const AFTER_LEAVING_MS = 400;
/** What the long messages that are looked for are like; names of parameters. */
const NARROWING = ["mood", "intent", "period"];

export class Search {
  #workspace;
  #field;
  #timers = new Timers();
  #number = 0; // of the search that counts
  #found = /** @type {any} */ (null);

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#field = /** @type {HTMLInputElement} */ (part(workspace, "search"));
    this.#field.addEventListener("input", () => this.#typed(AFTER_TYPING_MS));
    this.#field.addEventListener("keydown", (event) => this.#pressed(event));
    const all = part(workspace, "search-all");
    all.addEventListener("focusin", () => {
      this.#timers.clear("leave");
      all.classList.add("is-open");
    });
    all.addEventListener("focusout", () => {
      this.#timers.after("leave", AFTER_LEAVING_MS, () => all.classList.remove("is-open"));
    });
    part(workspace, "search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#typed(0);
    });
    workspace.commands.add({
      id: "search",
      code: "KeyF",
      label: workspace.texts("command-search"),
      run: () => {
        if (workspace.subject.conversation && getComputedStyle(part(workspace, "inbox")).display === "none") {
          workspace.choose(""); // on a phone the field is on the other page
        }
        this.#field.focus();
        this.#field.select();
      },
    });
    const asked = new URLSearchParams(location.search);
    this.#field.value = asked.get("q") ?? "";
    for (const name of NARROWING) {
      const choice = this.#choice(name);
      choice.value = asked.get(`q-${name}`) ?? "";
      if (choice.selectedIndex < 0) choice.value = ""; // an intent that has gone
      choice.addEventListener("change", () => this.#typed(0));
    }
    if (this.#isAsking) this.#typed(0);
  }

  /** @param {string} name @returns {HTMLSelectElement} */
  #choice(name) {
    return /** @type {HTMLSelectElement} */ (part(this.#workspace, `search-${name}`));
  }

  /** Whether there is something to look for. */
  get #isAsking() {
    return Boolean(this.#query) || NARROWING.some((name) => this.#choice(name).value);
  }

  /** Whether that is enough: a mood or a matter needs no words. */
  get #isEnough() {
    const length = [...this.#query].length;
    return length >= SHORTEST || (!length && Boolean(this.#choice("mood").value || this.#choice("intent").value));
  }

  /**
   * @param {URLSearchParams} asked what is looked for is written into it
   * @param {string} [prefix] of names that others have in the page's address
   */
  #write(asked, prefix = "") {
    const chosen = NARROWING.map((name) => [prefix + name, this.#choice(name).value]);
    for (const [name, value] of [["q", this.#query], ...chosen]) {
      if (value) asked.set(name, value);
      else asked.delete(name);
    }
    return asked;
  }

  get #query() {
    return this.#field.value.trim();
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Escape" && this.#isAsking) {
      event.stopPropagation(); // it empties the field, and does not leave the conversation
      this.#field.value = "";
      for (const name of NARROWING) this.#choice(name).value = "";
      this.#typed(0);
    } else if (event.key === "ArrowDown") {
      const first = part(this.#workspace, "found").querySelector("a");
      if (first) event.preventDefault();
      first?.focus();
    }
  }

  /** @param {number} ms */
  #typed(ms) {
    this.#number += 1;
    this.#keepInAddress();
    this.#workspace.classList.toggle("is-searching", this.#isAsking);
    if (!this.#isEnough) {
      this.#timers.clear("search");
      this.#found = null;
      this.#show(this.#isAsking ? "search-short" : "");
      return;
    }
    this.#timers.after("search", ms, () => void this.#search());
  }

  async #search() {
    const number = this.#number;
    this.#show("search-running");
    try {
      const asked = this.#write(new URLSearchParams());
      const found = await this.#workspace.api?.call("GET", `/api/workspace/search?${asked}`);
      if (number !== this.#number) return;
      this.#found = found;
      this.#show("");
    } catch (error) {
      if (number !== this.#number) return;
      this.#found = null;
      this.#show("search-failed", error instanceof Refused ? error.detail : "");
    }
  }

  /** @param {string} state the key of what to say, "" for what was found @param {string} [reason] */
  #show(state, reason = "") {
    const list = part(this.#workspace, "found");
    const hits = this.#found && !state ? [...this.#found.people, ...this.#found.lines] : [];
    const words = this.#found?.words ?? [];
    list.replaceChildren(...hits.map((hit) => this.#row(hit, words)));
    const { texts } = this.#workspace;
    const status = part(this.#workspace, "search-status");
    if (state) set(status, reason || texts(state));
    else if (!this.#found) set(status, "");
    else if (!hits.length) set(status, texts(this.#query ? "search-none" : "search-none-such", { query: this.#query }));
    else if (this.#found.is_cut_short) set(status, texts("search-cut"));
    else if (this.#found.has_more) set(status, texts("search-more", { count: this.#found.lines.length }));
    else set(status, texts("search-count", { count: hits.length }));
  }

  /** @param {Hit} hit @param {string[]} words */
  #row(hit, words) {
    const { texts } = this.#workspace;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("found-template"));
    const row = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
    );
    const language = this.#workspace.dataset.pageLanguage ?? "";
    const name = hit.customer || texts("visitor", { number: hit.uid.slice(-4).toUpperCase() });
    /** @type {HTMLAnchorElement} */ (part(row, "link")).href =
      `#${hit.conversation}${hit.seq ? `/${hit.seq}` : ""}`;
    part(row, "customer").replaceChildren(...marked(name, words));
    set(part(row, "at"), `${day(hit.at, new Date(), language)} ${clock(hit.at, language)}`);
    set(part(row, "sender"), hit.seq ? texts(`found-${hit.sender}`) : texts("found-person"));
    part(row, "text").replaceChildren(...marked(hit.seq ? hit.excerpt : hit.uid, words));
    return row;
  }

  #keepInAddress() {
    const asked = this.#write(new URLSearchParams(location.search), "q-");
    const query = asked.size ? `?${asked}` : "";
    history.replaceState(history.state, "", `${location.pathname}${query}${location.hash}`);
  }
}
