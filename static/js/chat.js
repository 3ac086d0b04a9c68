// @ts-check
/**
 * The customer's chat: `<cs-chat>` brings the markup of templates/chat/_chat.html to life.
 * What a conversation looks like is decided in timeline.js; this file connects it to the server
 * and to the page.
 */
import { Refused } from "./api.js";
import { chip, part, set } from "./bubbles.js";
import { compose } from "./composer.js";
import { Connection, SignInRefused } from "./connection.js";
import { Delivery } from "./delivery.js";
import { Drafts } from "./drafts.js";
import { fill } from "./links.js";
import { MessageLog } from "./message-log.js";
import { newId, Outbox } from "./outbox.js";
import { waitText } from "./queue.js";
import { Rest } from "./rest.js";
import { readTexts } from "./texts.js";
import * as timelines from "./timeline.js";
import { Timers } from "./timers.js";
import { badge } from "./title.js";
import { CustomerTokens, signOut } from "./tokens.js";
import { Unseen } from "./unseen.js";

/** A socket that is coming (back) gets this long before REST takes over. */
const SOCKET_FIRST_MS = 2_500;
const POLL_MS = 4_000;
const HUMAN_MS = 8_000;
const TYPING_SHOWN_MS = 4_000;
const TYPING_SENT_EVERY_MS = 3_000;
/** The bot is expected to answer; the dots tell that the question has arrived. */
const ANSWER_EXPECTED_MS = 6_000;
const GAP_EVERY_MS = 1_500;

class CsChat extends HTMLElement {
  #timeline = timelines.empty("CUSTOMER");
  #texts = readTexts();
  #started = false;
  #state = /** @type {import("./connection.js").State} */ ("connecting");
  #askedForHuman = false;
  #place = /** @type {import("./queue.js").Place | null} */ (null); // in the queue, while it is known
  #restWorks = false;
  #timers = new Timers();
  #gapAskedAt = -Infinity;
  #typingSentAt = -Infinity;
  #restored = Promise.resolve(); // when what was unsent before a reload is in the timeline

  connectedCallback() {
    const { uid = "", signature = "", customerName = "", pageLanguage = "" } = this.dataset;
    const customer = uid ? { uid, signature, name: customerName } : null;
    this.tokens = new CustomerTokens(customer, pageLanguage);
    this.rest = new Rest(this.tokens, pageLanguage);
    this.outbox = new Outbox(this.tokens.uid);
    this.#restored = this.#takeUp();
    const drafts = new Drafts(this.tokens.uid);
    this.log = new MessageLog(
      this,
      {
        me: "CUSTOMER",
        texts: this.#texts,
        language: pageLanguage,
        now: () => new Date(),
        onRetry: (clientId) => this.#retry(clientId),
        onEdit: (clientId) => this.#edit(clientId),
        onRemove: (clientId) => this.#remove(clientId),
        onButton: ({ action, text, label }) =>
          action === "human" ? void this.#human() : this.#post(text ?? label),
      },
      () => this.unseen?.look(),
    );
    const isAtEnd = () => this.log?.atEnd ?? true;
    this.unseen = new Unseen(this, isAtEnd, (count) => this.#showUnseen(count));
    this.delivery = new Delivery({
      send: (frame) => this.connection?.send(frame) ?? false,
      post: (text, clientId) => this.#postOverRest(text, clientId),
      isPending: (clientId) => this.#isPending(clientId),
      onFailed: ({ client_id }) => this.#show(timelines.marked(this.#timeline, client_id, "failed")),
      onRefused: ({ client_id }, detail) =>
        this.#show(timelines.marked(this.#timeline, client_id, "refused", detail)),
    });
    this.composer = compose(/** @type {HTMLFormElement} */ (part(this, "composer")), {
      maxChars: Number(this.dataset.maxChars),
      texts: this.#texts,
      onSend: (text) => this.#post(text),
      onTyping: () => this.#typing(),
      onChange: (text) => drafts.keep(text),
    });
    if (!this.composer.text) this.composer.set(drafts.of());
    part(this, "human").addEventListener("click", () => void this.#human());
    part(this, "again").addEventListener("click", () => this.connection?.check());
    part(this, "guest").addEventListener("click", () => {
      signOut();
      location.assign("/");
    });
    part(this, "jump").addEventListener("click", () => this.#toEnd());
    this.connection = new Connection("/ws/chat/", () => this.#hello(), () => this.tokens?.expire(), {
      onFrame: (frame) => this.#receive(frame),
      onState: (state, attempt) => this.#connected(state, attempt),
    });
    this.#show(this.#timeline);
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

  /** @param {any} frame */
  #receive(frame) {
    if (frame.type === "typing") {
      this.#showTyping(frame.sender, TYPING_SHOWN_MS);
      return;
    }
    if (frame.type === "welcome") this.#welcome(frame);
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
      this.#say(frame.detail);
      return;
    }
    const message = this.#timeline.pending.find((one) => one.client_id === frame.client_id);
    this.#show(timelines.received(this.#timeline, frame));
    if (message && this.#isPending(frame.client_id)) this.delivery?.repeat(message);
    else this.delivery?.settled(frame.client_id);
  }

  /** @param {any} frame welcome, or the same fields from REST */
  #welcome(frame) {
    part(this, "loading").hidden = true;
    part(this, "failure").hidden = true;
    this.#askedForHuman = false;
    const greeting = part(this, "greeting");
    greeting.hidden = !frame.greeting;
    fill(part(greeting, "text"), frame.greeting ?? "");
    part(this, "suggestions").replaceChildren(
      ...(frame.suggestions ?? []).map((/** @type {string} */ text) => chip(text, () => this.#post(text))),
    );
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
    if (!this.connection?.send({ type: "catch_up", after })) void this.#poll();
  }

  // --- Frames out -----------------------------------------------------------------------------

  /** @param {string} text */
  #post(text) {
    const message = { client_id: newId(), text, sent_at: new Date().toISOString() };
    this.#show(timelines.posted(this.#timeline, message));
    this.#toEnd();
    this.delivery?.deliver(message);
  }

  /** @param {string} text @param {string} clientId */
  async #postOverRest(text, clientId) {
    await this.rest?.post(text, clientId);
    await this.#poll();
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
    this.composer?.set(message.text);
    this.composer?.focus();
  }

  /** @param {string} clientId */
  #remove(clientId) {
    this.#show(timelines.withdrawn(this.#timeline, clientId));
    this.delivery?.settled(clientId);
    this.composer?.focus();
  }

  async #human() {
    if (this.#askedForHuman || this.#timeline.status === "WAITING") return;
    this.#askedForHuman = true;
    this.#showStatus();
    if (this.connection?.send({ type: "human" })) {
      // Whatever the answer is, asking again must become possible.
      this.#timers.after("human", HUMAN_MS, () => this.#humanSettled());
      return;
    }
    try {
      this.#receive({ ...(await this.rest?.human()), type: "status" });
      await this.#poll();
    } catch (error) {
      this.#say(error instanceof Refused ? error.detail : this.#texts("human-failed"));
    }
    this.#humanSettled();
  }

  #humanSettled() {
    this.#askedForHuman = false;
    this.#showStatus();
  }

  #typing() {
    if (!["AGENT", "WAITING"].includes(this.#timeline.status)) return; // nobody would see it
    if (performance.now() - this.#typingSentAt < TYPING_SENT_EVERY_MS) return;
    this.#typingSentAt = performance.now();
    this.connection?.send({ type: "typing" });
  }

  // --- Without a socket -----------------------------------------------------------------------

  /** @param {import("./connection.js").State} state @param {number} attempt */
  #connected(state, attempt) {
    this.#state = state;
    this.dataset.connection = state;
    if (state === "open") {
      this.#timers.clear("poll");
      this.#timers.clear("notice");
      set(part(this, "notice"), "");
      return;
    }
    if (state === "shut") {
      part(this, "loading").hidden = true;
      part(this, "shut").hidden = false;
      this.composer?.enable(false);
      return;
    }
    // A blink of the network is nobody's business: say it only when it lasts.
    if (!this.#timers.has("notice")) {
      this.#timers.after("notice", attempt || this.#started ? 1_200 : 4_000, () => this.#sayLost());
    }
    if (!this.#timers.has("poll")) this.#timers.after("poll", SOCKET_FIRST_MS, () => void this.#keepPolling());
  }

  #sayLost() {
    if (this.#state === "open") return;
    const lost = this.#restWorks ? "slow" : "reconnecting";
    if (this.#started) {
      set(part(this, "notice"), this.#texts(navigator.onLine ? lost : "offline"));
    } else {
      part(this, "loading").hidden = true;
      part(this, "failure").hidden = false;
    }
    this.#timers.after("notice", 3_000, () => this.#sayLost()); // offline may turn into "reconnecting"
  }

  async #keepPolling() {
    if (this.#state === "open" || this.#state === "shut") return;
    if (document.visibilityState === "visible") await this.#poll();
    this.#timers.after("poll", POLL_MS, () => void this.#keepPolling());
  }

  /** Fetch over REST what the socket would have brought. */
  async #poll() {
    try {
      const welcome = await this.rest?.conversation();
      const { conversation } = welcome;
      this.#restWorks = true;
      if (!this.#started) {
        this.#receive({ ...welcome, type: "welcome" });
      } else {
        this.#show(timelines.received(this.#timeline, { ...welcome, type: "welcome" }));
      }
      if (!conversation) return;
      const after = timelines.completeUpTo(this.#timeline); // of this conversation: it said welcome
      const missing = await this.rest?.messages(conversation, after);
      this.#receive({ ...missing, type: "messages" });
    } catch (error) {
      this.#restWorks = false;
      if (error instanceof SignInRefused) this.#connected("shut", 0);
      // Else: not reachable this way either; the next round tries again.
    }
  }

  // --- The page -------------------------------------------------------------------------------

  /** @param {import("./timeline.js").Timeline} timeline */
  #show(timeline) {
    const before = this.#timeline;
    this.#timeline = timeline;
    this.outbox?.save(timelines.unsent(timeline));
    this.log?.draw(timeline);
    const quiet = timeline.messages.length === 0 && timeline.pending.length === 0;
    part(this, "suggestions").hidden = !quiet || !this.#started;
    this.#showStatus();
    this.unseen?.add(before, timeline);
  }

  #showStatus() {
    const { status, agent } = this.#timeline;
    this.dataset.status = status;
    const language = this.dataset.pageLanguage ?? "";
    const isPlaced = status === "WAITING" && this.#place;
    set(
      part(this, "status"),
      isPlaced
        ? waitText(isPlaced, this.#texts, language, new Date())
        : this.#texts(`status-${status}`, { agent }),
    );
    const human = part(this, "human");
    const waiting = this.#askedForHuman || status === "WAITING";
    human.hidden = status === "AGENT";
    human.setAttribute("aria-disabled", String(waiting));
    set(part(human, "label"), this.#texts(waiting ? "human-waiting" : "human"));
    set(part(human, "short-label"), this.#texts(waiting ? "human-waiting" : "human-short"));
    const ended = part(this, "ended");
    ended.hidden = status !== "CLOSED";
    const name = this.tokens?.name ?? "";
    part(this, "signed-in").hidden = !name;
    set(part(this, "signed-in"), name && this.#texts("signed-in-as", { name }));
  }

  /** @param {string} sender @param {number} ms */
  #showTyping(sender, ms) {
    if (sender === "BOT" && this.#timeline.status !== "BOT") return;
    const { agent } = this.#timeline;
    const text = this.#texts(`typing-${sender}`, { agent });
    this.log?.showTyping({ sender, text, initial: sender === "AGENT" ? [...agent].at(0) : "", ms });
  }

  /** A sentence that is not part of the conversation; it goes by itself. @param {string} text */
  #say(text) {
    this.#humanSettled();
    const toast = part(this, "toast");
    set(toast, text);
    this.#timers.after("toast", 6_000, () => set(toast, ""));
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
    set(part(jump, "label"), count ? this.#texts("new-messages", { count }) : this.#texts("to-the-end"));
  }
}

customElements.define("cs-chat", CsChat);
