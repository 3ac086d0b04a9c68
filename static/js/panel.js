// @ts-check
/**
 * The story beside the conversation: who the customer is, what he bought and was promised, what
 * the assistant understood and tried. Read from the server when a conversation is opened, when
 * customer or assistant have said something, and by hand.
 */
import { part, set } from "./bubbles.js";
import { AnalysisPane } from "./panel-analysis.js";
import { CustomerPane } from "./panel-customer.js";
import { OrdersPane } from "./panel-orders.js";
import { UnderstoodPane } from "./panel-understood.js";
import { chapter } from "./story.js";
import { Tabs } from "./tabs.js";
import { copyOf } from "./templates.js";
import { Timers } from "./timers.js";
import { keyOf } from "./timeline.js";

/** After a message: its answer is on the way, and the log of it is written a moment later. */
const SETTLES_MS = 700;
/** While a long text is being read: what tells that it has been may be lost. */
const LOOKS_AGAIN_MS = 20_000;

/**
 * @typedef {import("./workspace.js").CsWorkspace} CsWorkspace
 * @typedef {import("./workspace.js").Subject} Subject
 * @typedef {import("./story.js").Story} Story
 */

export class Panel {
  #workspace;
  #texts;
  #aside;
  #tabs;
  #panes;
  #analysis;
  #timers = new Timers();
  #conversation = /** @type {string | null} */ (null);
  #chapter = "";
  #story = /** @type {Story | null} */ (null);
  #asked = 0; // of several requests the last one counts
  #uid = "";
  #spoken = ""; // language of the conversation

  /** @param {CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#aside = /** @type {HTMLElement} */ (workspace.querySelector("#facts"));
    this.#tabs = new Tabs(/** @type {Element} */ (this.#aside.querySelector("[role=tablist]")));
    const tools = {
      root: this.#aside,
      texts: workspace.texts,
      language: workspace.dataset.pageLanguage ?? "",
      intent: (/** @type {string} */ code) => workspace.case?.intentOf({ intent: code }) ?? code,
      copy: (/** @type {string} */ text) => this.#copyButton(text),
      reveal: (/** @type {number} */ seq) => this.#reveal(seq),
      choose: (/** @type {string} */ id) => this.#choose(id),
      copyText: (/** @type {string} */ text) => void this.#copy(text),
      textOf: (/** @type {number} */ seq) => this.#message(seq)?.text ?? "",
    };
    this.#analysis = new AnalysisPane(tools);
    this.#panes = [new CustomerPane(tools), new OrdersPane(tools), new UnderstoodPane(tools), this.#analysis];
    workspace.case?.decorators.push((element, row) => this.#analysis.decorate(element, row));
    workspace.addEventListener("frame", (event) => this.#hear(/** @type {CustomEvent} */ (event).detail));
    setInterval(() => this.#analysis.isWaiting && void this.#load(false), LOOKS_AGAIN_MS);
    for (const name of ["panel-refresh", "panel-retry"]) {
      part(this.#aside, name).addEventListener("click", () => void this.#load(true));
    }
    workspace.addEventListener("subject", () => this.#follow({ ...workspace.subject, conversation: workspace.known }));
    workspace.commands.add({
      id: "panel",
      code: "KeyI",
      label: workspace.texts("command-panel"),
      may: () => workspace.subject.conversation !== null,
      run: () => this.#open(),
    });
    this.#show();
    setInterval(() => this.#tick(), 1_000);
  }

  /** @param {Subject} subject */
  #follow({ conversation, entry, timeline, status, isMine }) {
    const now = chapter(timeline, status);
    if (conversation !== this.#conversation) {
      this.#conversation = conversation;
      this.#story = null;
      this.#uid = this.#spoken = "";
      this.#chapter = now;
      this.#timers.clear("load");
      this.#asked += 1;
      this.#show();
      if (conversation) void this.#load(false);
    } else if (now !== this.#chapter) {
      this.#chapter = now;
      this.#timers.after("load", SETTLES_MS, () => void this.#load(false));
    }
    if (entry) [this.#uid, this.#spoken] = [entry.uid, entry.language];
    const agent = entry?.agent || timeline?.agent;
    const spoken = this.#spoken || this.#story?.customer?.language;
    set(part(this.#aside, "case-uid"), this.#uid || this.#story?.uid || "–");
    set(part(this.#aside, "case-language"), spoken ? this.#texts(`language-${spoken}`) : "–");
    set(part(this.#aside, "case-agent"), (isMine ? this.#workspace.me : agent) || "–");
    this.#tick();
  }

  #tick() {
    const { entry } = this.#workspace.subject;
    const waiting = entry?.status === "WAITING" ? entry : null;
    const waited = waiting && this.#workspace.list?.waited(waiting, new Date());
    set(part(this.#aside, "case-since"), waited ?? "–");
  }

  // --- From the server --------------------------------------------------------------------------

  /** @param {boolean} byHand somebody waits for it, and is told */
  async #load(byHand) {
    const conversation = this.#conversation;
    if (!conversation) return;
    const mine = (this.#asked += 1);
    part(this.#aside, "panel-error").hidden = true;
    this.#busy(true);
    try {
      const story = await this.#workspace.api.call("GET", `/api/workspace/conversations/${conversation}/panel`);
      if (mine !== this.#asked) return;
      this.#story = story;
      this.#show();
      this.#follow({ ...this.#workspace.subject, conversation: this.#workspace.known });
      if (byHand) set(part(this.#aside, "panel-announcer"), this.#texts("panel-refreshed"));
    } catch {
      if (mine !== this.#asked) return;
      part(this.#aside, "panel-error").hidden = false;
    }
    this.#busy(false);
  }

  /** @param {boolean} isBusy */
  #busy(isBusy) {
    part(this.#aside, "panel-loading").hidden = !isBusy || this.#story !== null;
    part(this.#aside, "panel-refresh").classList.toggle("is-busy", isBusy);
    set(part(this.#aside, "panel-announcer"), "");
  }

  #show() {
    const story = this.#story;
    for (const element of /** @type {NodeListOf<HTMLElement>} */ (this.#aside.querySelectorAll(".story"))) {
      element.hidden = story === null;
    }
    part(this.#aside, "panel-refresh").hidden = this.#conversation === null;
    if (this.#conversation === null) {
      this.#busy(false);
      part(this.#aside, "panel-error").hidden = true;
    }
    for (const pane of this.#panes) pane.show(story);
    if (story?.analyses.length) this.#workspace.case?.redraw();
  }

  /** @param {{type: string, conversation?: string}} frame */
  #hear({ type, conversation }) {
    if (type === "analysis" && conversation === this.#conversation) void this.#load(false);
  }

  // --- What can be done in it -------------------------------------------------------------------

  /** By key: to its tabs, and on a narrow screen over the conversation and away again. */
  #open() {
    const isLayer = getComputedStyle(/** @type {Element} */ (this.#workspace.querySelector(".case-facts"))).display !== "none";
    if (isLayer && this.#aside.matches(":popover-open")) {
      this.#aside.hidePopover();
      return;
    }
    if (isLayer) this.#aside.showPopover();
    this.#tabs.focus();
  }

  #leaveLayer() {
    if (this.#aside.matches(":popover-open")) this.#aside.hidePopover();
  }

  /** @param {string} id of a conversation */
  #choose(id) {
    this.#leaveLayer();
    this.#workspace.choose(id);
  }

  /** Bring a message into view. @param {number} seq */
  #reveal(seq) {
    const message = this.#message(seq);
    const key = message && keyOf(message);
    const row = key && this.#workspace.querySelector(`[data-row-key="${CSS.escape(key)}"]`);
    if (!row) return;
    this.#leaveLayer();
    row.scrollIntoView({ block: "center" });
    row.classList.add("is-revealed");
    this.#timers.after("revealed", 2_000, () => row.classList.remove("is-revealed"));
  }

  /** @param {number} seq */
  #message(seq) {
    return this.#workspace.subject.timeline?.messages.find((one) => one.seq === seq);
  }

  /** @param {string} text @returns {HTMLElement} */
  #copyButton(text) {
    const button = /** @type {HTMLButtonElement} */ (copyOf("copy-template"));
    button.ariaLabel = button.title = this.#texts("panel-copy", { text });
    button.addEventListener("click", () => void this.#copy(text));
    return button;
  }

  /** @param {string} text */
  async #copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      this.#workspace.say(this.#texts("panel-copied", { text }));
    } catch {
      this.#workspace.say(this.#texts("panel-copy-failed"));
    }
  }
}
