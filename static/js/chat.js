// @ts-check
/**
 * The customer's chat: `<cs-chat>` brings the markup of templates/chat/_chat.html to life.
 * What a conversation looks like is decided in timeline.js; this file connects it to the server
 * and to the page.
 *
 * What stands around the messages (greeting, call for a human, …) is in chat-parts.js. Each part
 * hears of every frame by the event "frame", of what is on the screen then by "state" (a
 * `ChatState`), of a line that is drawn by "row", of a pressed button's action by "action", and uses
 * what is public here: on, send, post, say, receive, change, catchUp, state, api, texts, log, composer,
 * tokens.
 *
 * @typedef {object} ChatState what is on the screen
 * @property {Timeline} timeline with the conversation, its status and its agent
 * @property {boolean} isStarted false until the server has told what there is
 * @property {import("./queue.js").Place | null} place in the queue, while it is known
 *
 * @typedef {import("./timeline.js").Timeline} Timeline
 */
import { part, set } from "./bubbles.js";
import { CHAT_PARTS } from "./chat-parts.js";
import { compose } from "./composer.js";
import { Connection, SignInRefused } from "./connection.js";
import { Delivery } from "./delivery.js";
import { Drafts } from "./drafts.js";
import { FileViews } from "./file-views.js";
import { MessageLog } from "./message-log.js";
import { newId, Outbox } from "./outbox.js";
import { Rest } from "./rest.js";
import { Substitute } from "./substitute.js";
import { readTexts } from "./texts.js";
import * as timelines from "./timeline.js";
import { Timers } from "./timers.js";
import { badge } from "./title.js";
import { CustomerTokens, signOut } from "./tokens.js";
import { Unseen } from "./unseen.js";

const TYPING_SHOWN_MS = 4_000;
const TYPING_SENT_EVERY_MS = 3_000;
/** The bot is expected to answer; the dots tell that the question has arrived. */
const ANSWER_EXPECTED_MS = 6_000;
const GAP_EVERY_MS = 1_500;

export class CsChat extends HTMLElement {
  texts = readTexts();
  #timeline = timelines.empty("CUSTOMER");
  #started = false;
  #place = /** @type {import("./queue.js").Place | null} */ (null);
  #substitute = new Substitute(this);
  #timers = new Timers();
  #gapAskedAt = -Infinity;
  #typingSentAt = -Infinity;
  #restored = Promise.resolve(); // when what was unsent before a reload is in the timeline

  connectedCallback() {
    const { uid = "", signature = "", expires, customerName = "", pageLanguage = "" } = this.dataset;
    const customer = uid ? { uid, signature, expires, name: customerName } : null;
    this.tokens = new CustomerTokens(customer, pageLanguage);
    this.api = new Rest(this.tokens, pageLanguage);
    this.outbox = new Outbox(this.tokens.uid);
    this.#restored = this.#takeUp();
    const drafts = new Drafts(this.tokens.uid);
    this.log = new MessageLog(
      this,
      {
        me: "CUSTOMER",
        texts: this.texts,
        language: pageLanguage,
        now: () => new Date(),
        onRetry: (clientId) => this.#retry(clientId),
        onEdit: (clientId) => this.#edit(clientId),
        onRemove: (clientId) => this.#remove(clientId),
        files: new FileViews(this),
        decorate: (element, row) => this.#tell("row", { element, row }),
        onButton: ({ action, text, label }) =>
          action ? this.#tell("action", action) : this.post(text ?? label),
      },
      () => this.unseen?.look(),
    );
    const isAtEnd = () => this.log?.atEnd ?? true;
    this.unseen = new Unseen(this, isAtEnd, (count) => this.#showUnseen(count));
    this.delivery = new Delivery({
      send: (frame) => this.connection?.send(frame) ?? false,
      post: (text, clientId, attachments) => this.#postOverRest(text, clientId, attachments),
      isPending: (clientId) => this.#isPending(clientId),
      onFailed: ({ client_id }) => this.#show(timelines.marked(this.#timeline, client_id, "failed")),
      onRefused: ({ client_id }, detail) =>
        this.#show(timelines.marked(this.#timeline, client_id, "refused", detail)),
    });
    this.composer = compose(/** @type {HTMLFormElement} */ (part(this, "composer")), {
      maxChars: Number(this.dataset.maxChars),
      texts: this.texts,
      onSend: (text, attachments) => this.post(text, attachments),
      onTyping: () => this.#typing(),
      onChange: (text) => drafts.keep(text),
    });
    if (!this.composer.text) this.composer.set(drafts.of());
    part(this, "again").addEventListener("click", () => this.connection?.check());
    part(this, "guest").addEventListener("click", () => {
      signOut();
      location.assign("/");
    });
    part(this, "jump").addEventListener("click", () => this.#toEnd());
    for (const Part of CHAT_PARTS) new Part(this);
    this.connection = new Connection("/ws/chat/", () => this.#hello(), () => this.tokens?.expire(), {
      onFrame: (frame) => this.receive(frame),
      onState: (state, attempt) => this.#connected(state, attempt),
    });
    this.#show(this.#timeline);
  }

  // --- For the parts --------------------------------------------------------------------------

  /** @returns {ChatState} */
  get state() {
    return { timeline: this.#timeline, isStarted: this.#started, place: this.#place };
  }

  /** Listen to one of the events. @param {string} name @param {(detail: any) => void} listener */
  on(name, listener) {
    this.addEventListener(name, (event) => listener(/** @type {CustomEvent} */ (event).detail));
  }

  /** @param {object} frame @returns {boolean} false: not connected */
  send(frame) {
    return this.connection?.send(frame) ?? false;
  }

  /** A sentence that is not part of the conversation; it goes by itself. @param {string} text */
  say(text) {
    const toast = part(this, "toast");
    set(toast, text);
    this.#timers.after("toast", 6_000, () => set(toast, ""));
  }

  /**
   * Say something in the customer's name.
   *
   * @param {string} text
   * @param {readonly import("./uploads.js").Attachment[]} [attachments]
   */
  post(text, attachments = []) {
    const message = { client_id: newId(), text, attachments, sent_at: new Date().toISOString() };
    this.#typingSentAt = -Infinity; // what is written now belongs to the next one
    this.#show(timelines.posted(this.#timeline, message));
    this.#toEnd();
    this.delivery?.deliver(message);
  }

  /** Show something else. @param {(timeline: Timeline) => Timeline} how */
  change(how) {
    this.#show(how(this.#timeline));
  }

  /** @param {string} name @param {any} detail */
  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async #hello() {
    await this.#restored;
    const token = (await this.tokens?.access()) ?? "";
    this.#timers.after("renew", this.tokens?.renewInMs ?? 0, () => void this.connection?.renew());
    const { conversation, status } = this.#timeline;
    return {
      type: "hello",
      token,
      conversation: status === "CLOSED" ? null : conversation,
      after: timelines.completeUpTo(this.#timeline),
      language: this.dataset.language,
    };
  }

  // --- Frames in ------------------------------------------------------------------------------

  /** Apply a frame, whichever way it came. @param {any} frame */
  receive(frame) {
    this.#tell("frame", frame);
    if (frame.type === "typing") {
      this.#showTyping(frame.sender, TYPING_SHOWN_MS);
      return;
    }
    if (frame.type === "welcome") {
      part(this, "loading").hidden = true;
      part(this, "failure").hidden = true;
    }
    if (frame.type === "refused") this.#refused(frame);
    if (frame.type === "welcome" || frame.type === "status") this.#place = frame.queue ?? null;
    const before = this.#timeline;
    this.#show(timelines.received(before, frame));
    if (frame.type === "accepted") {
      this.delivery?.settled(frame.client_id);
      if (this.#timeline.status === "BOT") this.#showTyping("BOT", ANSWER_EXPECTED_MS);
    }
    if (frame.type === "messages") {
      const others = frame.messages.filter((/** @type {any} */ one) => one.sender !== "CUSTOMER");
      if (others.length) this.log?.hideTyping();
      for (const one of frame.messages) if (one.client_id) this.delivery?.settled(one.client_id);
    }
    if (frame.type === "welcome") {
      if (!this.#started) this.#start();
      for (const one of timelines.unsent(this.#timeline)) this.delivery?.deliver(one);
      void this.#takeUp();
    }
    this.#closeGap();
  }

  /** Send what was written before a reload, or in a tab that has gone. */
  async #takeUp() {
    await this.outbox?.restore(new Date(), (found) => {
      this.#show(found.reduce((timeline, one) => timelines.posted(timeline, one), this.#timeline));
      if (this.#started) for (const one of found) this.delivery?.deliver(one);
    });
  }

  /** @param {any} frame */
  #refused(frame) {
    if (!frame.client_id) {
      this.say(frame.detail);
      return;
    }
    const message = this.#timeline.pending.find((one) => one.client_id === frame.client_id);
    this.#show(timelines.received(this.#timeline, frame));
    if (message && this.#isPending(frame.client_id)) this.delivery?.repeat(message);
    else this.delivery?.settled(frame.client_id);
  }

  /** The first welcome: what comes from now on is announced. */
  #start() {
    this.#started = true;
    this.unseen?.begin(this.#timeline);
    this.#show(this.#timeline);
    this.log?.announce();
  }

  #closeGap() {
    const { conversation } = this.#timeline;
    if (!conversation || !timelines.hasGap(this.#timeline)) return;
    // Not for every frame of a burst; the timer asks once more if the answer is lost, too.
    this.#timers.after("gap", GAP_EVERY_MS, () => this.#closeGap());
    // Not by Date: a clock that is set back would forbid to ask until it has caught up.
    if (performance.now() - this.#gapAskedAt < GAP_EVERY_MS) return;
    this.#gapAskedAt = performance.now();
    const after = timelines.completeUpTo(this.#timeline);
    if (!this.connection?.send({ type: "catch_up", after })) void this.catchUp();
  }

  // --- Frames out -----------------------------------------------------------------------------

  /** @param {string} text @param {string} clientId @param {string[]} attachments */
  async #postOverRest(text, clientId, attachments) {
    await this.api?.post(text, clientId, attachments);
    await this.catchUp();
  }

  /** @param {string} clientId */
  #isPending(clientId) {
    return timelines.unsent(this.#timeline).some((one) => one.client_id === clientId);
  }

  /** @param {string} clientId */
  #retry(clientId) {
    const message = this.#timeline.pending.find((one) => one.client_id === clientId);
    if (!message) return;
    this.#show(timelines.marked(this.#timeline, clientId, "sending"));
    this.connection?.check();
    this.delivery?.deliver(message);
    this.composer?.focus();
  }

  /** @param {string} clientId */
  #edit(clientId) {
    const message = this.#timeline.pending.find((one) => one.client_id === clientId);
    if (!message) return;
    this.#show(timelines.withdrawn(this.#timeline, clientId));
    this.delivery?.settled(clientId);
    // What has been begun since comes after it.
    this.composer?.set([message.text, this.composer.text].filter(Boolean).join("\n"), message.attachments);
    this.composer?.focus();
  }

  /** @param {string} clientId */
  #remove(clientId) {
    this.#show(timelines.withdrawn(this.#timeline, clientId));
    this.delivery?.settled(clientId);
    this.composer?.focus();
  }

  #typing() {
    // The bot wants to know whether more is to come while it has not answered; else nobody looks.
    const { status, messages, pending } = this.#timeline;
    const isOpen = pending.length > 0 || messages.at(-1)?.sender === "CUSTOMER";
    if (status === "CLOSED" || (status === "BOT" && !isOpen)) return;
    if (performance.now() - this.#typingSentAt < TYPING_SENT_EVERY_MS) return;
    this.#typingSentAt = performance.now();
    this.connection?.send({ type: "typing" });
  }

  // --- Without a socket -----------------------------------------------------------------------

  /** @param {import("./connection.js").State} state @param {number} attempt */
  #connected(state, attempt) {
    this.dataset.connection = state;
    if (state === "shut") {
      part(this, "loading").hidden = true;
      part(this, "shut").hidden = false;
      this.composer?.enable(false);
    }
    this.#substitute.follow(state, attempt);
  }

  /**
   * Fetch over REST what the socket would have brought.
   *
   * @returns {Promise<boolean>} false: the server is not reached this way either
   */
  async catchUp() {
    try {
      const welcome = await this.api?.conversation();
      const { conversation } = welcome;
      if (!this.#started) {
        this.receive({ ...welcome, type: "welcome" });
      } else {
        this.#show(timelines.received(this.#timeline, { ...welcome, type: "welcome" }));
      }
      if (!conversation) return true;
      const after = timelines.completeUpTo(this.#timeline); // of this conversation: it said welcome
      const missing = await this.api?.messages(conversation, after);
      this.receive({ ...missing, type: "messages" });
      return true;
    } catch (error) {
      if (error instanceof SignInRefused) this.#connected("shut", 0);
      return false;
    }
  }

  // --- The page -------------------------------------------------------------------------------

  /** @param {import("./timeline.js").Timeline} timeline */
  #show(timeline) {
    const before = this.#timeline;
    this.#timeline = timeline;
    this.outbox?.save(timelines.unsent(timeline));
    this.log?.draw(timeline);
    this.#tell("state", this.state);
    this.unseen?.add(before, timeline);
  }

  /** @param {string} sender @param {number} ms */
  #showTyping(sender, ms) {
    if (sender === "BOT" && this.#timeline.status !== "BOT") return;
    const { agent } = this.#timeline;
    const text = this.texts(`typing-${sender}`, { agent });
    this.log?.showTyping({ sender, text, initial: sender === "AGENT" ? [...agent].at(0) : "", ms });
  }

  #toEnd() {
    this.log?.toEnd();
    this.unseen?.look();
  }

  /** @param {number} count */
  #showUnseen(count) {
    badge(count);
    const jump = part(this, "jump");
    jump.hidden = this.log?.atEnd ?? true;
    set(part(jump, "label"), count ? this.texts("new-messages", { count }) : this.texts("to-the-end"));
  }
}

customElements.define("cs-chat", CsChat);
