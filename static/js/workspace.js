// @ts-check
/**
 * The agents' workspace: `<cs-workspace>` brings templates/workspace/workspace.html to life.
 * The list is a projection of the server's inbox, rebuilt from every frame that brings one.
 *
 * What stands beside the conversation (notes, customer, canned replies, …) is in workspace-parts.js.
 * Each hears of the `Subject` by the event "subject" and of every frame by "frame", and uses what is
 * public here: send, act, say, write, written, choose, subject, known, entryOf, api, commands, texts. What
 * the lists hold is told by "inbox" (detail: {before, after}) once it has changed.
 *
 * @typedef {object} Subject what is on the screen
 * @property {string | null} conversation
 * @property {string} status BOT, WAITING, AGENT, CLOSED; UNKNOWN until the server has told
 * @property {boolean} isMine whether this agent has it
 * @property {Entry | null} entry as in the lists, null until it has been read
 * @property {Timeline | null} timeline
 */
import { Api } from "./api.js";
import { part, set } from "./bubbles.js";
import { Case } from "./case.js";
import { Commands } from "./commands.js";
import { compose } from "./composer.js";
import { Connection } from "./connection.js";
import { Delivery } from "./delivery.js";
import { Drafts } from "./drafts.js";
import { InboxList } from "./inbox-list.js";
import { InboxViews } from "./inbox-views.js";
import { changed, isId, VIEWS, wanting } from "./inbox.js";
import { newId, Outbox } from "./outbox.js";
import { readTexts } from "./texts.js";
import * as timelines from "./timeline.js";
import { Timers } from "./timers.js";
import { badge } from "./title.js";
import { WorkspaceTokens } from "./tokens.js";
import { PARTS } from "./workspace-parts.js";

const ACTION_MS = 10_000;
const GAP_EVERY_MS = 1_500;
const TYPING_SENT_EVERY_MS = 3_000;
/** Lines that come together are one mark; one that was lost is sent again. */
const READ_AGAIN_MS = 1_500;

/**
 * @typedef {import("./inbox.js").Entry} Entry
 * @typedef {import("./timeline.js").Timeline} Timeline
 */

export class CsWorkspace extends HTMLElement {
  texts = readTexts();
  commands = new Commands();
  #texts = this.texts;
  #timers = new Timers();
  #inbox = /** @type {readonly Entry[] | null} */ (null); // null until the first one has come
  #entries = /** @type {Map<string, Entry>} */ (new Map()); // read one by one: not in the inbox
  #line = /** @type {number | null} */ (null); // the seq to show, where the address names one
  #timelines = /** @type {Map<string, Timeline>} */ (new Map());
  #seen = /** @type {Map<string, number>} */ (new Map());
  #selected = /** @type {string | null} */ (null);
  #told = ""; // the status that was told last, and of what
  #isTaking = false; // asked, and not answered yet
  #typingSentAt = -Infinity;
  #restored = Promise.resolve(); // when what was unsent before a reload is in its timelines

  connectedCallback() {
    const { pageLanguage = "", csrf = "", maxChars, me = "", user = "" } = this.dataset;
    this.me = me;
    this.tokens = new WorkspaceTokens(csrf);
    this.api = new Api(this.tokens, pageLanguage);
    this.drafts = new Drafts(`staff ${user}`);
    this.outbox = new Outbox(`staff ${user}`);
    this.#restored = this.#takeUp();
    this.list = new InboxList(part(this, "list"), this.#texts, pageLanguage);
    this.views = new InboxViews(this, {
      api: this.api,
      texts: this.#texts,
      list: this.list,
      onShow: () => this.#showList(),
    });
    this.case = new Case(this, this.#texts, {
      language: pageLanguage,
      intents: JSON.parse(document.getElementById("intent-names")?.textContent ?? "{}"),
      onRead: () => this.#read(),
      onRetry: (clientId) => this.#retry(clientId),
      onEdit: (clientId) => this.#edit(clientId),
      onRemove: (clientId) => this.#remove(clientId),
    });
    this.composer = compose(/** @type {HTMLFormElement} */ (part(this, "composer")), {
      maxChars: Number(maxChars),
      texts: this.#texts,
      onSend: (text, attachments) => this.#post(text, attachments),
      onTyping: () => this.#typing(),
      onChange: (text) => this.#selected && this.drafts?.keep(text, this.#selected),
    });
    this.delivery = new Delivery({
      send: (frame) => this.connection?.send(frame) ?? false,
      isPending: (clientId) => this.#pending(clientId) !== null,
      onFailed: ({ client_id, conversation = "" }) =>
        this.#change(conversation, (one) => timelines.marked(one, client_id, "failed")),
    });
    this.#listen();
    this.connection = new Connection("/ws/workspace/", () => this.#hello(), () => this.tokens?.expire(), {
      onFrame: (frame) => this.#receive(frame),
      onState: (state, attempt) => this.#connected(state, attempt),
    });
    for (const Part of PARTS) {
      try {
        new Part(this);
      } catch (error) {
        reportError(error); // one that fails takes nothing else with it
      }
    }
    this.#followAddress();
  }

  #listen() {
    for (const action of ["take", "hand_back", "close"]) {
      part(this, action).addEventListener("click", () => this.#act(action));
    }
    part(this, "availability").addEventListener("change", () => this.#chooseAvailability());
    part(this, "back").addEventListener("click", () => this.choose(""));
    document.addEventListener("visibilitychange", () => this.#read());
    addEventListener("hashchange", () => this.#followAddress());
    this.#addCommands();
    this.commands.listen(() => this.#selected && this.choose(""));
    // The other language opens the same list and the same conversation.
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (this.querySelectorAll("a[hreflang]"))) {
      link.addEventListener("click", () => {
        const asked = new URLSearchParams(location.search);
        for (const [name, value] of new URLSearchParams(link.search)) asked.set(name, value);
        link.search = `?${asked}`;
        link.hash = location.hash;
      });
    }
    setInterval(() => this.#tick(), 1_000);
  }

  #addCommands() {
    const add = (/** @type {string} */ id, /** @type {string} */ code, /** @type {() => void} */ run) =>
      this.commands.add({ id, code, run, label: this.#texts(`command-${id}`) });
    add("next", "ArrowDown", () => this.#step(1));
    add("previous", "ArrowUp", () => this.#step(-1));
    add("write", "KeyR", () => this.#reply());
    for (const view of VIEWS) {
      const label = this.#texts(`command-view-${view}`);
      this.commands.add({ id: `view-${view}`, label, run: () => this.views?.choose(view) });
    }
    for (const [action, code] of [["take", "KeyT"], ["hand_back", "KeyB"], ["close", "KeyE"]]) {
      const may = () => this.case?.may(action) ?? false;
      const label = this.#texts(`command-${action}`);
      this.commands.add({ id: action, code, label, may, run: () => this.#act(action) });
    }
  }

  // --- For what stands beside the conversation --------------------------------------------------

  /** The conversation on the screen, as soon as the server has told that there is one. */
  get known() {
    const { conversation, status } = this.subject;
    return status === "UNKNOWN" ? null : conversation;
  }

  /** @returns {Subject} */
  get subject() {
    const conversation = this.#selected;
    const entry = this.#entry();
    const timeline = conversation === null ? null : this.#timelineOf(conversation);
    const status = entry?.status ?? timeline?.status ?? "UNKNOWN";
    return { conversation, status, isMine: Boolean(entry?.agent_is_me), entry, timeline };
  }

  /** @param {object} frame @returns {boolean} false: not connected */
  send(frame) {
    return this.connection?.send(frame) ?? false;
  }

  /** A sentence that goes by itself. @param {string} text */
  say(text) {
    const toast = part(this, "toast");
    set(toast, text);
    this.#timers.after("toast", 6_000, () => set(toast, ""));
  }

  /** Put words into the reply field, for the agent to send. @param {string} text instead of what is there */
  write(text) {
    this.composer?.set(text);
    this.#reply();
  }

  /** To the field for the customer, also from a private note. */
  #reply() {
    /** @type {HTMLElement | null} */ (this.querySelector("#tab-reply"))?.click();
    this.composer?.focus();
  }

  /** What the agent has written and not sent. */
  get written() {
    return this.composer?.text ?? "";
  }

  /**
   * What the lists say of a conversation.
   *
   * @param {string} conversation
   * @returns {Entry | null} null: it has not been read; see readEntry
   */
  entryOf(conversation) {
    const live = this.#inbox?.find((one) => one.conversation === conversation);
    if (live) return live;
    const read = this.#entries.get(conversation) ?? this.views?.find(conversation) ?? null;
    const { status, agent } = this.#timelineOf(conversation);
    if (read === null || status === "UNKNOWN") return read;
    // Who has it now, the conversation itself has told.
    return { ...read, status, agent, agent_is_me: false, is_for_me: false };
  }

  /** Read what the lists say of a conversation that is not in the inbox. @param {string} conversation */
  async readEntry(conversation) {
    try {
      const entry = await this.api?.call("GET", `/api/workspace/conversations/${conversation}`);
      this.#entries.set(conversation, entry);
    } catch {
      return; // the conversation itself is told over the socket, with what is wrong
    }
    this.#showList();
    if (conversation === this.#selected) this.#show();
  }

  /** Open a conversation. @param {string} conversation "" for none; the address keeps it over a reload */
  choose(conversation) {
    location.hash = conversation;
  }

  async #hello() {
    await this.#restored;
    const token = (await this.tokens?.access()) ?? "";
    this.#timers.after("renew", this.tokens?.renewInMs ?? 0, () => void this.connection?.renew());
    const language = this.dataset.pageLanguage?.startsWith("en") ? "en" : "zh";
    return { type: "hello", token, language };
  }

  // --- Frames in ------------------------------------------------------------------------------

  /** @param {any} frame */
  #receive(frame) {
    this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
    switch (frame.type) {
      case "welcome":
        this.#showMe(frame.me);
        this.#fill(frame.inbox, frame.counts);
        this.#resume();
        return;
      case "me":
        this.#showMe(frame.me);
        return;
      case "inbox":
        this.#fill(frame.inbox, frame.counts);
        return;
      case "inbox_changed":
        this.#fill(changed(this.#inbox ?? [], frame), null);
        for (const gone of frame.gone) if (gone === this.#selected) void this.readEntry(gone);
        return;
      case "typing":
        if (frame.conversation === this.#selected) this.case?.showTyping();
        return;
      case "refused":
        this.#refused(frame);
        return;
      case "status":
        if (frame.conversation === this.#selected) this.#statusChanged(frame);
        // It is there, and not in the inbox: what the lists say of it is read once.
        if (frame.conversation === this.#selected && !this.#entry()) void this.readEntry(frame.conversation);
        break;
      case "messages":
        if (frame.conversation === this.#selected) this.case?.log.hideTyping();
        break;
      case "accepted":
        this.delivery?.settled(frame.client_id);
        break;
      default:
        return;
    }
    this.#change(frame.conversation, (timeline) => timelines.received(timeline, frame));
    this.#closeGap(frame.conversation);
  }

  /** Signed in (again): follow what is on the screen, and send what was not acknowledged. */
  #resume() {
    if (this.#selected) this.#open(this.#selected);
    for (const message of this.#unsent()) this.delivery?.deliver(message);
    void this.#takeUp();
  }

  /** Send what was written before a reload, or in a tab that has gone. */
  async #takeUp() {
    await this.outbox?.restore(new Date(), (found) => {
      for (const { conversation = "", ...message } of found) {
        this.#timelines.set(conversation, timelines.posted(this.#timelineOf(conversation), message));
      }
      this.outbox?.save([...this.#unsent()]);
      this.#show();
      if (this.connection?.isOpen) for (const one of found) this.delivery?.deliver(one);
    });
  }

  /** @param {{availability: string, present: boolean | null, chats: number, capacity: number}} me as the server sees us */
  #showMe({ availability, present, chats, capacity }) {
    const select = /** @type {HTMLSelectElement} */ (part(this, "availability"));
    select.value = availability;
    select.disabled = false;
    const view = part(this, "presence");
    view.dataset.present = String(present);
    set(view, this.#texts(`present-${present}`, { chats, capacity }));
  }

  #chooseAvailability() {
    const select = /** @type {HTMLSelectElement} */ (part(this, "availability"));
    if (this.connection?.send({ type: "availability", availability: select.value })) return;
    this.say(this.#texts("not-connected"));
  }

  /** @param {readonly Entry[]} inbox @param {Record<string, number> | null} counts where it brought them */
  #fill(inbox, counts) {
    const before = this.#inbox;
    const had = this.#entry();
    this.#inbox = inbox;
    if (before === null) {
      // What others have is no news to somebody who has just come in.
      for (const one of inbox) if (!one.agent_is_me) this.#seen.set(one.conversation, one.last_seq);
    }
    this.views?.update(inbox, counts);
    const entry = inbox.find((one) => one.conversation === this.#selected);
    if (entry) {
      const { conversation, status, agent, last_seq } = entry;
      this.#change(conversation, (one) => ({
        ...one,
        status: /** @type {Timeline["status"]} */ (status),
        agent,
        lastSeq: Math.max(one.lastSeq, last_seq),
      }));
      this.#closeGap(conversation);
      if (had && !had.agent_is_me && entry.agent_is_me) this.views?.followTaken();
    } else if (had) {
      this.#entries.set(had.conversation, had); // it has left the list and stays on the screen
    }
    this.#showList();
    this.#show();
    if (before !== null) this.dispatchEvent(new CustomEvent("inbox", { detail: { before, after: inbox } }));
  }

  /** @param {any} frame */
  #refused(frame) {
    this.case?.busy("");
    this.#isTaking = false;
    if (!frame.client_id && ["no_such_conversation", "invalid"].includes(frame.code) && this.#isUnknown) {
      this.#lose();
      return;
    }
    this.say(frame.detail);
    const conversation = frame.client_id ? this.#pending(frame.client_id) : null;
    if (conversation === null) return;
    const message = [...this.#unsent()].find((one) => one.client_id === frame.client_id);
    this.#change(conversation, (timeline) => timelines.received(timeline, frame));
    if (message && this.#pending(frame.client_id) !== null) this.delivery?.repeat(message);
    else this.delivery?.settled(frame.client_id);
  }

  /** @param {{conversation: string, status: string, agent: string}} frame of the one on the screen */
  #statusChanged({ conversation, status, agent }) {
    this.case?.busy("");
    const told = `${conversation} ${status} ${agent}`;
    if (told === this.#told) return; // somebody has read, and no more
    this.#told = told;
    if (this.#isUnknown) return; // opened just now: no news
    const waited = this.#entry()?.status === "WAITING";
    if (status === "AGENT" && waited && agent !== this.me) {
      this.say(this.#texts("taken-by", { agent }));
    }
    if (status === "BOT") this.say(this.#texts("handed-back"));
    if (status === "CLOSED") this.say(this.#texts("closed"));
  }

  // --- Frames out -----------------------------------------------------------------------------

  /** @param {string} conversation */
  #open(conversation) {
    const after = timelines.completeUpTo(this.#timelineOf(conversation));
    this.connection?.send({ type: "open", conversation, after });
  }

  /** @param {string} conversation */
  #closeGap(conversation) {
    const timeline = this.#timelineOf(conversation);
    if (conversation !== this.#selected || !timelines.hasGap(timeline)) return;
    if (this.#timers.has("gap")) return; // asked a moment ago
    this.#timers.after("gap", GAP_EVERY_MS, () => this.#closeGap(conversation));
    const after = timelines.completeUpTo(timeline);
    this.connection?.send({ type: "catch_up", conversation, after });
  }

  /** @param {string} action take, hand_back or close */
  #act(action) {
    if (!this.case?.may(action)) return;
    if (action === "close") this.dispatchEvent(new Event("ending"));
    else this.act(action);
  }

  /**
   * Have the server do something with the conversation on the screen.
   *
   * @param {string} action the type of the frame
   * @param {object} [fields] of the frame, beside the conversation
   */
  act(action, fields = {}) {
    if (!this.connection?.send({ type: action, conversation: this.#selected, ...fields })) {
      this.say(this.#texts("not-connected"));
      return;
    }
    this.case?.busy(action);
    if (action === "take") this.#isTaking = true;
    this.#timers.after("action", ACTION_MS, () => this.case?.busy(""));
  }

  /** @param {string} text @param {import("./uploads.js").Attachment[]} attachments */
  #post(text, attachments) {
    const conversation = this.#selected;
    if (!conversation) return;
    const message = { client_id: newId(), text, attachments, sent_at: new Date().toISOString() };
    this.#change(conversation, (timeline) => timelines.posted(timeline, message));
    this.case?.log.toEnd();
    this.delivery?.deliver({ conversation, ...message });
  }

  /** @param {string} clientId */
  #retry(clientId) {
    const conversation = this.#pending(clientId);
    if (conversation === null) return;
    this.#change(conversation, (timeline) => timelines.marked(timeline, clientId, "sending"));
    this.connection?.check();
    const message = this.#timelineOf(conversation).pending.find((one) => one.client_id === clientId);
    if (message) this.delivery?.deliver({ conversation, ...message });
  }

  /** @param {string} clientId */
  #edit(clientId) {
    const conversation = this.#selected ?? "";
    const message = this.#timelineOf(conversation).pending.find((one) => one.client_id === clientId);
    if (!message) return;
    this.#change(conversation, (timeline) => timelines.withdrawn(timeline, clientId));
    this.delivery?.settled(clientId);
    // What has been begun since comes after it.
    this.composer?.set([message.text, this.written].filter(Boolean).join("\n"), message.attachments);
    this.composer?.focus();
  }

  /** @param {string} clientId */
  #remove(clientId) {
    this.#change(this.#selected ?? "", (timeline) => timelines.withdrawn(timeline, clientId));
    this.delivery?.settled(clientId);
    this.composer?.focus();
  }

  #typing() {
    if (performance.now() - this.#typingSentAt < TYPING_SENT_EVERY_MS) return;
    this.#typingSentAt = performance.now();
    this.connection?.send({ type: "typing", conversation: this.#selected });
  }

  // --- The page -------------------------------------------------------------------------------

  #followAddress() {
    const [id, line] = location.hash.slice(1).toLowerCase().split("/");
    if (id && !isId(id)) {
      this.#lose();
      return;
    }
    this.#line = Number(line) || null;
    if (id && id === this.#selected) this.#show(); // another line of what is on the screen
    else this.#select(id || null);
  }

  /** The address names a conversation that is not there. */
  #lose() {
    history.replaceState(null, "", location.pathname + location.search);
    this.#select(null);
    set(part(this, "lost"), this.#texts("lost"));
  }

  /** @param {string | null} conversation */
  #select(conversation) {
    const before = this.#selected;
    this.#selected = conversation;
    this.#isTaking = false;
    this.#timers.clear("gap");
    set(part(this, "lost"), "");
    this.case?.open(conversation !== null);
    if (conversation !== null) {
      if (!this.#isUnknown && !this.entryOf(conversation)) void this.readEntry(conversation);
      this.#open(conversation);
      this.composer?.set(this.drafts?.of(conversation) ?? "");
      this.#show();
      // Where the arrow keys scroll; the field would bring up a phone's keyboard.
      part(this, "scroll").focus({ preventScroll: true });
    }
    if (conversation === null) this.#show();
    this.#showList();
    if (conversation === null && before !== null) this.list?.focus(before);
  }

  /**
   * @param {string} conversation
   * @param {(timeline: Timeline) => Timeline} change
   */
  #change(conversation, change) {
    this.#timelines.set(conversation, change(this.#timelineOf(conversation)));
    this.outbox?.save([...this.#unsent()]);
    if (conversation === this.#selected) this.#show();
  }

  #show() {
    this.dispatchEvent(new CustomEvent("subject", { detail: this.subject }));
    if (this.#selected === null) return;
    const entry = this.#entry();
    const name = entry ? (this.list?.nameOf(entry) ?? "") : "";
    const focused = document.activeElement;
    this.case?.show(this.#timelineOf(this.#selected), entry, name);
    this.composer?.enable(Boolean(entry?.agent_is_me));
    if (this.#isTaking && entry?.agent_is_me) {
      this.#isTaking = false;
      this.composer?.focus();
    } else if (focused?.matches("[hidden], :disabled")) {
      // What had the focus has gone: the keyboard stays in this conversation.
      part(this, "scroll").focus({ preventScroll: true });
    }
    this.#showLine();
    this.#tick();
    this.#read();
  }

  /** Bring the line into view that the address names, once it is there. */
  #showLine() {
    if (this.#line === null || this.#selected === null) return;
    const message = this.#timelineOf(this.#selected).messages.find(({ seq }) => seq === this.#line);
    if (message && this.case?.log.reveal(message)) this.#line = null;
  }

  #showList() {
    this.views?.show(this.#selected, this.#seen);
    const inbox = this.#inbox ?? [];
    const his = inbox.filter((entry) => entry.agent_is_me || entry.is_for_me);
    badge(wanting(his, this.#seen));
  }

  #tick() {
    this.list?.tick();
  }

  /** What is on the screen has been read. */
  #read() {
    const entry = this.#entry();
    if (!entry || document.visibilityState === "hidden" || !this.case?.log.atEnd) return;
    const upTo = timelines.completeUpTo(this.#timelineOf(entry.conversation));
    const marked = this.#timelineOf(entry.conversation).read?.agent ?? upTo; // before it is known: none
    if (entry.agent_is_me && upTo > marked && !this.#timers.has("read")) {
      this.#timers.after("read", READ_AGAIN_MS, () => this.#read());
      this.send({ type: "read", conversation: entry.conversation, seq: upTo });
    }
    if (upTo <= (this.#seen.get(entry.conversation) ?? 0)) return;
    this.#seen.set(entry.conversation, upTo);
    this.#showList();
  }

  /** @param {import("./connection.js").State} state @param {number} attempt */
  #connected(state, attempt) {
    const notice = part(this, "notice");
    part(this, "signed-out").hidden = state !== "shut";
    if (state === "open" || state === "shut") {
      this.#timers.clear("notice");
      set(notice, "");
    } else if (!this.#timers.has("notice") && !notice.textContent) {
      // A blink of the network is nobody's business: say it only when it lasts.
      this.#timers.after("notice", attempt ? 1_200 : 3_000, () =>
        set(notice, this.#texts(navigator.onLine ? "reconnecting" : "offline")),
      );
    }
  }

  /** @param {number} by */
  #step(by) {
    const shown = this.views?.shown ?? [];
    if (!shown.length) return;
    const at = shown.findIndex((entry) => entry.conversation === this.#selected);
    const next = at === -1 ? 0 : (at + by + shown.length) % shown.length;
    this.choose(shown[next].conversation);
  }

  /** @returns {Entry | null} the selected one, as far as it has been read */
  #entry() {
    return this.#selected === null ? null : this.entryOf(this.#selected);
  }

  /** Whether nothing has been told yet of the selected one. */
  get #isUnknown() {
    return this.#selected !== null && this.#timelineOf(this.#selected).status === "UNKNOWN";
  }

  /** @param {string} conversation @returns {Timeline} */
  #timelineOf(conversation) {
    const fresh = { ...timelines.empty("AGENT"), status: /** @type {const} */ ("UNKNOWN"), conversation };
    return this.#timelines.get(conversation) ?? fresh;
  }

  /** All that the server has not acknowledged, with its conversation. */
  *#unsent() {
    for (const [conversation, timeline] of this.#timelines) {
      for (const message of timelines.unsent(timeline)) yield { ...message, conversation };
    }
  }

  /** @param {string} clientId @returns {string | null} the conversation where it waits to be sent */
  #pending(clientId) {
    for (const message of this.#unsent()) if (message.client_id === clientId) return message.conversation;
    return null;
  }
}

customElements.define("cs-workspace", CsWorkspace);
