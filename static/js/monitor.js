// @ts-check
/**
 * The supervisors' monitor: `<cs-monitor>` brings templates/workspace/monitor.html to life.
 *
 * It shows what GET /api/workspace/monitor says. The workspace's socket hints at changes of people
 * and their conversations; then it asks again, at most once a second. What no hint tells (the bot's
 * conversations, who is there) a slow beat brings. Taking over and reassigning go over the socket.
 */
import { Api } from "./api.js";
import { part, set } from "./bubbles.js";
import { Connection } from "./connection.js";
import { draw } from "./keyed.js";
import * as rows from "./monitor-rows.js";
import { copyOf } from "./templates.js";
import { readTexts } from "./texts.js";
import { clock } from "./times.js";
import { Timers } from "./timers.js";
import { WorkspaceTokens } from "./tokens.js";

const SOONEST_MS = 1_000;
const BEAT_MS = 10_000;
const NOTICE_MS = 8_000;
const HINTS = ["welcome", "inbox", "inbox_changed", "status"];

/**
 * @typedef {import("./monitor-rows.js").Monitor} Monitor
 * @typedef {import("./monitor-rows.js").Entry} Entry
 * @typedef {import("./monitor-rows.js").Queue} Queue
 * @typedef {import("./monitor-rows.js").Agent} Agent
 */

class CsMonitor extends HTMLElement {
  #texts = readTexts();
  #timers = new Timers();
  #shown = /** @type {Monitor | null} */ (null);
  #readAt = 0; // performance.now() of the latest answer
  #isReading = false;
  #taking = /** @type {string | null} */ (null); // asked, and not answered yet
  #isStale = false; // something has changed since it was asked for

  connectedCallback() {
    const { pageLanguage = "", csrf = "" } = this.dataset;
    this.language = pageLanguage;
    this.tokens = new WorkspaceTokens(csrf);
    this.api = new Api(this.tokens, pageLanguage);
    this.connection = new Connection("/ws/workspace/", () => this.#hello(), () => this.tokens?.expire(), {
      onFrame: (frame) => this.#receive(frame),
      onState: (state) => this.#connected(state),
    });
    const filters = /** @type {HTMLFormElement} */ (part(this, "filters"));
    filters.addEventListener("change", () => {
      this.#timers.clear("read");
      void this.#read();
    });
    this.addEventListener("click", (event) => this.#clicked(event));
    setInterval(() => this.#show(), 1_000);
    void this.#read();
  }

  async #hello() {
    const token = (await this.tokens?.access()) ?? "";
    this.#timers.after("renew", this.tokens?.renewInMs ?? 0, () => void this.connection?.renew());
    return { type: "hello", token, language: this.language?.startsWith("en") ? "en" : "zh" };
  }

  /** @param {any} frame */
  #receive(frame) {
    if (HINTS.includes(frame.type)) this.#readSoon();
    if (frame.type === "refused") {
      this.#taking = null;
      this.#say(frame.detail);
    }
    if (frame.type === "status" && frame.conversation === this.#taking) {
      location.assign(this.#addressOf(frame.conversation));
    }
  }

  /** @param {import("./connection.js").State} state */
  #connected(state) {
    part(this, "signed-out").hidden = state !== "shut";
    this.#showLive();
  }

  // --- Reading ----------------------------------------------------------------------------------

  #readSoon() {
    this.#isStale = true;
    if (this.#isReading || this.#timers.has("read")) return;
    const wait = Math.max(0, this.#readAt + SOONEST_MS - performance.now());
    this.#timers.after("read", wait, () => void this.#read());
  }

  async #read() {
    if (this.#isReading) {
      this.#isStale = true;
      return;
    }
    this.#isReading = true;
    this.#isStale = false;
    const form = new FormData(/** @type {HTMLFormElement} */ (part(this, "filters")));
    const query = new URLSearchParams([...form].flatMap(([key, value]) => (value ? [[key, String(value)]] : [])));
    try {
      this.#shown = await this.api?.call("GET", `/api/workspace/monitor?${query}`);
      this.#readAt = performance.now();
      this.#show();
    } catch {
      this.#readAt = performance.now(); // it stays as it is, and says of when
    } finally {
      this.#isReading = false;
      this.#timers.after("beat", BEAT_MS, () => void this.#read());
      if (this.#isStale) this.#readSoon();
    }
    this.#showLive();
  }

  // --- The page ---------------------------------------------------------------------------------

  /** Seconds since the server counted; on a clock that nobody sets. */
  get #passedS() {
    return (performance.now() - this.#readAt) / 1000;
  }

  /** The server's time: this computer's clock may be wrong. */
  get #now() {
    return new Date(Date.parse(this.#shown?.now ?? "") + this.#passedS * 1000);
  }

  #showLive() {
    if (!this.#shown) return;
    const isLive = Boolean(this.connection?.isOpen) && this.#passedS < 3 * (BEAT_MS / 1000);
    const live = part(this, "live");
    live.dataset.live = String(isLive);
    const time = clock(this.#shown.now, this.language ?? "");
    set(live, isLive ? this.#texts("live") : this.#texts("offline-page", { time }));
  }

  #show() {
    const shown = this.#shown;
    if (!shown) return;
    const { queues, agents, conversations, counts } = shown;
    draw(
      this.#bodyOf("queues"),
      queues.map((queue) => ({ key: `${queue.id}`, queue })),
      () => this.#row(["", "waiting", "longest", "expected", "escalated", "with", "hours"], [1, 2, 3, 4, 5]),
      (row, { queue }) => this.#showQueue(row, queue),
    );
    draw(
      part(this, "agents"),
      agents.map((agent) => ({ key: `${agent.id}`, agent })),
      () => copyOf("agent-template"),
      (element, { agent }) => this.#showAgent(element, agent),
    );
    draw(
      this.#bodyOf("conversations"),
      conversations.map((entry) => ({ key: entry.conversation, entry })),
      ({ entry }) => this.#conversationRow(entry),
      (row, { entry }) => this.#showConversation(row, entry),
    );
    part(this, "no-agents").hidden = agents.length > 0;
    part(this, "no-conversations").hidden = conversations.length > 0;
    const all = Object.values(counts).reduce((sum, one) => sum + one, 0);
    part(this, "cut").hidden = conversations.length < 200 || conversations.length >= all;
    set(part(this, "counts"), this.#texts("counts", counts));
    this.#showLive();
  }

  /** @param {string} name @returns {HTMLElement} */
  #bodyOf(name) {
    return /** @type {HTMLElement} */ (part(this, name).querySelector("tbody"));
  }

  /**
   * A row of cells; on a phone each says of which column it is. The first one is the row's heading.
   *
   * @param {string[]} columns
   * @param {number[]} numbers which of them hold numbers
   */
  #row(columns, numbers) {
    const row = document.createElement("tr");
    columns.forEach((column, index) => {
      const cell = document.createElement(index ? "td" : "th");
      if (!index) cell.setAttribute("scope", "row");
      if (column) cell.dataset.label = this.#texts(`column-${column}`);
      cell.classList.toggle("is-number", numbers.includes(index));
      row.append(cell);
    });
    return row;
  }

  /** @param {HTMLElement} row @param {Queue} queue */
  #showQueue(row, queue) {
    const now = this.#now;
    const longest = queue.waiting_since
      ? rows.duration(Math.max(0, rows.secondsSince(queue.waiting_since, now)), this.#texts)
      : "–";
    const left = queue.offline ? ` ${this.#texts("left", { count: queue.offline })}` : "";
    const cells = [
      queue.name || this.#texts("no-queue"),
      `${queue.waiting - queue.offline}${left}`,
      longest,
      rows.expected(queue, this.#texts),
      `${queue.escalated}`,
      `${queue.with_agents}`,
      rows.hours(queue, now, this.language ?? "", this.#texts),
    ];
    fillRow(row, cells);
    row.classList.toggle("is-urgent", queue.escalated > 0);
    row.classList.toggle("is-closed", !queue.open);
  }

  /** @param {HTMLElement} element @param {Agent} agent */
  #showAgent(element, agent) {
    part(element, "dot").dataset.present = String(agent.present);
    set(part(element, "name"), agent.name);
    const chats = agent.has.length;
    set(part(element, "chats"), this.#texts("chats", { chats, capacity: agent.capacity }));
    const words = [this.#texts(`present-${agent.present}`), this.#texts(`availability-${agent.availability}`)];
    set(part(element, "state"), words.filter(Boolean).join(" · "));
    draw(
      part(element, "has"),
      agent.has.map((one) => ({ key: one.conversation, one })),
      () => {
        const item = document.createElement("li");
        item.append(document.createElement("a"), document.createElement("span"));
        return item;
      },
      (item, { one }) => {
        const [link, words] = /** @type {[HTMLAnchorElement, HTMLElement]} */ (/** @type {unknown} */ ([...item.children]));
        link.href = this.#addressOf(one.conversation);
        set(link, rows.nameOf(one, this.#texts));
        const { text, isUrgent } = rows.owed(one, this.#now, this.#texts);
        set(words, text);
        item.classList.toggle("is-urgent", isUrgent);
      },
    );
  }

  /** @param {string} conversation */
  #addressOf(conversation) {
    return `${this.dataset.workspace}#${conversation}`;
  }

  /** @param {Entry} entry */
  #conversationRow(entry) {
    const row = this.#row(["", "state", "since", "queue", "agent", "target", ""], [2]);
    const actions = /** @type {HTMLElement} */ (row.lastElementChild);
    actions.className = "row-actions";
    const link = document.createElement("a");
    link.className = "button is-small";
    link.href = this.#addressOf(entry.conversation);
    link.textContent = this.#texts("read");
    actions.append(link, this.#button("take", entry), this.#button("reassign", entry));
    const customer = rows.nameOf(entry, this.#texts);
    for (const one of actions.children) {
      one.setAttribute("aria-label", this.#texts("of", { action: one.textContent ?? "", customer }));
    }
    return row;
  }

  /** @param {string} action @param {Entry} entry */
  #button(action, entry) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button is-small";
    button.dataset.action = action;
    button.dataset.conversation = entry.conversation;
    button.textContent = this.#texts(action);
    return button;
  }

  /** @param {HTMLElement} row @param {Entry} entry */
  #showConversation(row, entry) {
    const { text, isMissed } = rows.target(entry.sla, this.#passedS, this.#texts);
    const words = [
      this.#texts(`status-${entry.status}`),
      entry.is_escalated ? this.#texts("escalated") : "",
      entry.is_offline ? this.#texts("offline") : "",
    ];
    const cells = [
      rows.nameOf(entry, this.#texts),
      words.filter(Boolean).join(" · "),
      rows.duration(Math.max(0, rows.secondsSince(entry.since, this.#now)), this.#texts),
      entry.queue || "–",
      entry.agent || "–",
      text || "–",
    ];
    fillRow(row, cells);
    row.dataset.status = entry.status;
    row.classList.toggle("is-urgent", entry.is_escalated);
    row.children[5].classList.toggle("is-missed", isMissed);
    const take = /** @type {HTMLElement} */ (row.querySelector("[data-action=take]"));
    take.hidden = String(entry.agent_id) === this.dataset.user;
    const reassign = /** @type {HTMLElement} */ (row.querySelector("[data-action=reassign]"));
    reassign.hidden = entry.status === "BOT";
  }

  // --- Doing ------------------------------------------------------------------------------------

  /** @param {Event} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest("[data-action]"));
    const entry = this.#shown?.conversations.find((one) => one.conversation === button?.dataset.conversation);
    if (!button || !entry) return;
    if (button.dataset.action === "take") void this.#take(entry);
    else void this.#reassign(entry);
  }

  /** @param {Entry} entry */
  async #take(entry) {
    const { conversation, agent } = entry;
    set(part(this, "take-text"), agent ? this.#texts("take-from", { agent }) : this.#texts("take-free"));
    if ((await this.#asked("take-dialog")) !== "yes") return;
    if (this.#send({ type: "take", conversation, from_colleague: true })) this.#taking = conversation;
  }

  /** @param {Entry} entry */
  async #reassign(entry) {
    const select = /** @type {HTMLSelectElement} */ (this.querySelector("#reassign-to"));
    const reason = /** @type {HTMLInputElement} */ (this.querySelector("#reassign-reason"));
    const { agents = [], queues = [] } = this.#shown ?? {};
    select.replaceChildren(
      this.#options("to-agents", agents.filter((one) => one.id !== entry.agent_id).map((one) => this.#agentOption(one))),
      this.#options("to-queues", queues.filter((one) => one.id !== null).map((one) => new Option(one.name, `queue ${one.id}`))),
    );
    reason.value = "";
    if ((await this.#asked("reassign-dialog")) !== "yes" || !select.value) return;
    const [kind, id] = select.value.split(" ");
    this.#send({
      type: "transfer",
      conversation: entry.conversation,
      to_agent: kind === "agent" ? Number(id) : null,
      to_queue: kind === "queue" ? Number(id) : null,
      reason: reason.value.trim(),
      summary: "",
    });
  }

  /** @param {string} label @param {HTMLOptionElement[]} options */
  #options(label, options) {
    const group = document.createElement("optgroup");
    group.label = this.#texts(label);
    group.append(...options);
    return group;
  }

  /** @param {Agent} agent */
  #agentOption(agent) {
    const { name, capacity, present, availability } = agent;
    const state = present === false ? this.#texts("present-false") : this.#texts(`availability-${availability}`);
    return new Option(this.#texts("to-agent", { name, state, chats: agent.has.length, capacity }), `agent ${agent.id}`);
  }

  /** @param {string} name @returns {Promise<string>} what was chosen, "" for Escape */
  #asked(name) {
    const dialog = /** @type {HTMLDialogElement} */ (part(this, name));
    dialog.returnValue = "";
    dialog.showModal();
    return new Promise((resolve) =>
      dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }),
    );
  }

  /** @param {object} frame @returns {boolean} */
  #send(frame) {
    const isSent = this.connection?.send(frame) ?? false;
    if (!isSent) this.#say(this.#texts("offline-page", { time: clock(this.#now.toISOString(), this.language ?? "") }));
    return isSent;
  }

  /** @param {string} text */
  #say(text) {
    const notice = part(this, "notice");
    set(notice, text);
    this.#timers.after("notice", NOTICE_MS, () => set(notice, ""));
  }
}

/** @param {HTMLElement} row @param {string[]} cells texts; "–" says nothing, and is no line of a card */
function fillRow(row, cells) {
  cells.forEach((text, index) => {
    set(row.children[index], text);
    row.children[index].toggleAttribute("data-none", text === "–");
  });
}

customElements.define("cs-monitor", CsMonitor);
