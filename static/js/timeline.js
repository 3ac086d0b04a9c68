// @ts-check
/**
 * What a conversation looks like, as pure functions of the frames received.
 * No DOM and no socket here: `node --test tests/js/` runs it as it is.
 *
 * Frames come from the socket and from REST, in any order and some of them twice.
 * Messages are merged by `seq`, which has no gaps, so a client always knows what it lacks.
 *
 * @typedef {"CUSTOMER" | "BOT" | "AGENT" | "SYSTEM"} Sender
 * @typedef {"BOT" | "WAITING" | "AGENT" | "CLOSED" | "UNKNOWN"} Status  UNKNOWN: not told yet
 * @typedef {import("./uploads.js").Attachment} Attachment
 * @typedef {{label: string, text?: string, action?: string}} Button
 * @typedef {{conversation: string, seq: number, sender: Sender, text: string, sent_at: string,
 *   client_id: string | null, answers: number | null, decision: string, intent: string,
 *   probability: number | null, buttons: Button[], author: string, recalls?: number | null,
 *   recalled_at?: string | null, attachments?: readonly Attachment[],
 *   feedback?: "UP" | "DOWN" | ""}} Message
 *   recalls: seq of the message that this line of the system takes back
 * @typedef {{id: number, text: string, author: string, is_mine: boolean, after_seq: number,
 *   created_at: string, mentions: {id: number, name: string}[], is_whisper?: boolean}} Note  of
 *   colleagues, for staff only; a whisper is a supervisor's, for the agent
 * @typedef {"sending" | "failed" | "refused"} PendingState
 *   failed: nobody answered, sending again is safe. refused: sending again cannot help.
 * @typedef {{client_id: string, text: string, sent_at: string, attachments: readonly Attachment[],
 *   state: PendingState, reason: string, below?: string | null}} Pending
 *   below: of a refused one, the key of the line it stays under, null on top
 * @typedef {{me: Sender, conversation: string | null, status: Status, agent: string,
 *   lastSeq: number, messages: readonly Message[], earlier: readonly Message[],
 *   pending: readonly Pending[], notes?: readonly Note[],
 *   read?: {customer: number, agent: number}, rating?: {score: number | null, comment: string} | null}} Timeline
 *   read: the seq up to which each side has read; rating: what the customer said, while he is asked
 * @typedef {{kind: "day", key: string, at: string}
 *   | {kind: "new", key: string}
 *   | {kind: "note", key: string, note: Note}
 *   | {kind: "message", key: string, sender: Sender, text: string, at: string, author: string,
 *      first: boolean, last: boolean, newest: boolean, isRead: boolean, state: PendingState | "sent", reason: string,
 *      buttons: readonly Button[], attachments: readonly Attachment[], message: Message | null}} Row
 */

/** Refusals after which the same text would be refused again. */
const FINAL = new Set([
  "blocked",
  "conversation_closed",
  "empty",
  "invalid",
  "no_such_attachment",
  "no_such_conversation",
  "not_yours",
  "too_long",
]);
/** Messages of one sender within this time stand together under one name. */
const TOGETHER_MS = 3 * 60_000;

/**
 * @param {Sender} me whose messages are typed here
 * @returns {Timeline}
 */
export function empty(me) {
  return {
    me,
    conversation: null,
    status: "BOT",
    agent: "",
    lastSeq: 0,
    messages: [],
    earlier: [],
    pending: [],
  };
}

/**
 * Show a message before the server has it.
 *
 * @param {Timeline} timeline
 * @param {{client_id: string, text: string, sent_at: string, attachments?: readonly Attachment[]}} typed
 * @returns {Timeline}
 */
export function posted(timeline, { client_id, text, sent_at, attachments = [] }) {
  const state = /** @type {const} */ ("sending");
  const message = { client_id, text, sent_at, attachments, state, reason: "" };
  return { ...timeline, pending: [...timeline.pending, message] };
}

/**
 * Mark a pending message; one that has arrived meanwhile stays arrived.
 *
 * @param {Timeline} timeline
 * @param {string} clientId
 * @param {PendingState} state
 * @param {string} [reason] for the reader
 * @returns {Timeline}
 */
export function marked(timeline, clientId, state, reason = "") {
  // Not by its time: the clock here and the server's differ.
  const last = timeline.messages.at(-1) ?? timeline.earlier.at(-1);
  const below = state === "refused" && last ? keyOf(last) : null;
  return {
    ...timeline,
    pending: timeline.pending.map((one) =>
      one.client_id === clientId ? { ...one, state, reason, below } : one,
    ),
  };
}

/**
 * Take a pending message away (the customer edits or drops it).
 *
 * @param {Timeline} timeline
 * @param {string} clientId
 * @returns {Timeline}
 */
export function withdrawn(timeline, clientId) {
  return { ...timeline, pending: timeline.pending.filter((one) => one.client_id !== clientId) };
}

/**
 * The customer begins anew: what was said stays above, and the next message opens a conversation;
 * or goes on with this one, if it was closed for silence only.
 *
 * @param {Timeline} timeline
 * @returns {Timeline}
 */
export function leftBehind({ me, earlier, messages, pending }) {
  return { ...empty(me), pending, earlier: [...earlier, ...messages] };
}

/**
 * Apply one frame. Applying it again, or late, changes nothing.
 *
 * @param {Timeline} timeline
 * @param {any} frame as in docs/protocol.md
 * @returns {Timeline}
 */
export function received(timeline, frame) {
  switch (frame.type) {
    case "welcome":
      return welcomed(timeline, frame);
    case "accepted":
      return accepted(timeline, frame);
    case "messages":
      return merged(timeline, frame);
    case "status":
      if (frame.conversation === timeline.conversation) return { ...timeline, ...statusOf(frame) };
      if (frame.status === "CLOSED" || !mayGoOn(timeline, frame.conversation)) return timeline;
      return { ...within(timeline, frame.conversation), ...statusOf(frame) };
    case "refused":
      if (!frame.client_id) return timeline;
      return marked(
        timeline,
        frame.client_id,
        FINAL.has(frame.code) ? "refused" : "failed",
        frame.detail,
      );
    default:
      return timeline; // of a newer server, or nothing to keep (typing, pong)
  }
}

/** @param {any} frame status, or a welcome with a conversation */
function statusOf({ status, agent, read = { customer: 0, agent: 0 }, rating = null }) {
  return { status, agent, read, rating };
}

/**
 * How far the other side has read what is written here. Who answers has read, too.
 *
 * @param {Timeline} timeline
 * @returns {number} a seq
 */
export function readByOthers({ me, messages, read = { customer: 0, agent: 0 } }) {
  if (me !== "CUSTOMER") return read.customer;
  return messages.reduce((seq, one) => {
    if (one.sender === "BOT") return Math.max(seq, one.answers ?? 0);
    return one.sender === "AGENT" ? Math.max(seq, one.seq) : seq;
  }, read.agent);
}

/**
 * @param {Timeline} timeline of a customer
 * @returns {number} the seq to mark as read; 0 where no agent has said anything since the last mark
 */
export function unreadOfAgent(timeline) {
  const upTo = completeUpTo(timeline);
  const marked = timeline.read?.customer ?? 0;
  const isNews = timeline.messages.some(
    ({ sender, seq }) => sender === "AGENT" && seq > marked && seq <= upTo,
  );
  return isNews ? upTo : 0;
}

/**
 * @param {Timeline} timeline of a customer
 * @returns {boolean} whether to ask now how content he was: not when he has gone on with the bot
 */
export function asksRating({ status, rating, messages }) {
  if (!rating) return false;
  const last = messages.findLast(({ sender }) => sender === "CUSTOMER" || sender === "SYSTEM");
  return status === "CLOSED" || last?.sender === "SYSTEM";
}

/**
 * The cursor for catching up: everything up to and including it is here.
 *
 * @param {Timeline} timeline
 * @returns {number} 0 when even the first message is missing
 */
export function completeUpTo(timeline) {
  let seq = 0;
  for (const message of timeline.messages) {
    if (message.seq !== seq + 1) break;
    seq = message.seq;
  }
  return seq;
}

/**
 * @param {Timeline} timeline
 * @returns {boolean} true: ask the server for what comes after `completeUpTo`
 */
export function hasGap(timeline) {
  return completeUpTo(timeline) < timeline.lastSeq;
}

/**
 * @param {Timeline} timeline
 * @returns {readonly Pending[]} what to send (again) now that the server can be reached
 */
export function unsent(timeline) {
  return timeline.pending.filter((one) => one.state !== "refused");
}

/**
 * The lines to draw, in order: days, messages, and where a new conversation began.
 *
 * @param {Timeline} timeline
 * @returns {Row[]} each with a key that stays the same from typing to the last redraw
 */
export function rows(timeline) {
  /** @type {Row[]} */
  const drawn = [];
  let day = "";
  /** @type {Extract<Row, {kind: "message"}> | null} */
  let previous = null;

  const read = readByOthers(timeline);

  /** @param {Omit<Extract<Row, {kind: "message"}>, "kind" | "first" | "last" | "newest" | "isRead">} line */
  const add = (line) => {
    const date = new Date(line.at);
    const its = `${date.getFullYear()}-${date.getMonth() + 1}-${date.getDate()}`;
    if (its !== day) {
      day = its;
      previous = null;
      // The conversation is in the key because clocks differ: a day can come up twice.
      drawn.push({ kind: "day", key: `day ${its} ${drawn.length ? line.key : ""}`, at: line.at });
    }
    const together =
      previous !== null &&
      previous.sender === line.sender &&
      previous.author === line.author &&
      date.getTime() - new Date(previous.at).getTime() < TOGETHER_MS;
    if (together && previous) previous.last = false;
    const isRead = line.message?.conversation === timeline.conversation && (line.message?.seq ?? Infinity) <= read;
    previous = { kind: "message", ...line, first: !together, last: true, newest: false, isRead };
    drawn.push(previous);
  };

  const waiting = unsent(timeline);
  const refused = timeline.pending.filter((one) => one.state === "refused");
  /** @param {string | null} key */
  const addRefused = (key) => {
    for (const one of refused) if ((one.below ?? null) === key) add(lineOfPending(one, timeline.me));
  };

  const notes = [...(timeline.notes ?? [])];
  /** @param {number} seq */
  const addNotesUpTo = (seq) => {
    for (let note = notes[0]; note && note.after_seq <= seq; note = notes[0]) {
      notes.shift();
      drawn.push({ kind: "note", key: `${note.is_whisper ? "whisper" : "note"} ${note.id}`, note });
      previous = null;
    }
  };

  addRefused(null);
  for (const message of timeline.earlier) {
    if (!message.recalls) add(lineOf(message));
    addRefused(keyOf(message));
  }
  if (timeline.earlier.length && (timeline.messages.length || waiting.length)) {
    drawn.push({ kind: "new", key: `new ${timeline.earlier.length}` });
    previous = null;
  }
  // What was refused is no answer to the question that the buttons belong to.
  const newest = waiting.length ? null : timeline.messages.at(-1);
  for (const message of timeline.messages) {
    addNotesUpTo(message.seq - 1);
    // What is taken back is said in its own place.
    if (!message.recalls) add({ ...lineOf(message), buttons: message === newest ? message.buttons : [] });
    addRefused(keyOf(message));
  }
  addNotesUpTo(Infinity);
  for (const one of waiting) add(lineOfPending(one, timeline.me));
  const newestOwn = drawn.findLast(
    (row) => row.kind === "message" && row.sender === timeline.me && row.state !== "refused",
  );
  if (newestOwn?.kind === "message") newestOwn.newest = true;
  return drawn;
}

/** @param {Message} message @returns {string} of its row */
export function keyOf({ client_id, conversation, seq }) {
  return client_id ?? `${conversation} ${seq}`;
}

/** @param {Pending} pending @param {Sender} me */
function lineOfPending({ client_id, text, sent_at, attachments, state, reason }, me) {
  return {
    key: client_id,
    sender: me,
    text,
    at: sent_at,
    author: "",
    state,
    reason,
    attachments,
    buttons: /** @type {readonly Button[]} */ ([]),
    message: null,
  };
}

/** @param {Message} message */
function lineOf(message) {
  return {
    key: keyOf(message),
    sender: message.sender,
    text: message.text,
    at: message.sent_at,
    author: message.author,
    state: /** @type {const} */ ("sent"),
    reason: "",
    attachments: message.attachments ?? [],
    buttons: /** @type {readonly Button[]} */ ([]),
    message,
  };
}

/**
 * @param {Timeline} timeline
 * @param {any} frame
 * @returns {Timeline}
 */
function welcomed(timeline, frame) {
  // An ended one that he has left above, to begin anew: the server offers it until the next begins.
  if (frame.status === "CLOSED" && isLeft(timeline, frame.conversation)) return timeline;
  if (frame.conversation === null) {
    // Ours, if there was one, has ended meanwhile; it stays readable.
    return timeline.conversation === null
      ? { ...timeline, status: frame.status, agent: frame.agent }
      : { ...timeline, status: "CLOSED", agent: "" };
  }
  return {
    ...within(timeline, frame.conversation),
    ...statusOf(frame),
    lastSeq: frame.last_seq,
  };
}

/**
 * @param {Timeline} timeline
 * @param {any} frame
 * @returns {Timeline}
 */
function accepted(timeline, frame) {
  // The frame names no files: they are what was sent, unless the line itself was quicker.
  const sent =
    timeline.pending.find((one) => one.client_id === frame.client_id) ??
    timeline.messages.find((one) => one.client_id === frame.client_id);
  const message = {
    conversation: frame.conversation,
    seq: frame.seq,
    sender: timeline.me,
    text: frame.text,
    sent_at: frame.sent_at,
    client_id: frame.client_id,
    answers: null,
    decision: "",
    intent: "",
    probability: null,
    buttons: [],
    author: "",
    attachments: sent?.attachments ?? [],
  };
  return merged(timeline, {
    conversation: frame.conversation,
    messages: [message],
    last_seq: frame.seq,
  });
}

/**
 * @param {Timeline} timeline
 * @param {any} frame
 * @returns {Timeline}
 */
function merged(timeline, frame) {
  const wasLeft = isLeft(timeline, frame.conversation);
  if (wasLeft && !mayGoOn(timeline, frame.conversation)) return timeline; // late: it has ended
  const current = within(timeline, frame.conversation);
  /** @type {Map<number, Message>} */
  const bySeq = new Map(current.messages.map((message) => [message.seq, message]));
  for (const message of frame.messages) bySeq.set(message.seq, message);
  for (const { recalls, sent_at } of bySeq.values()) {
    const taken = recalls && bySeq.get(recalls);
    if (taken) bySeq.set(recalls, { ...taken, text: "", buttons: [], attachments: [], recalled_at: taken.recalled_at ?? sent_at });
  }
  const arrived = new Set(frame.messages.map((/** @type {Message} */ message) => message.client_id));
  const after = {
    ...current,
    messages: [...bySeq.values()].sort((one, other) => one.seq - other.seq),
    pending: current.pending.filter((one) => !arrived.has(one.client_id)),
    lastSeq: Math.max(current.lastSeq, frame.last_seq ?? 0, ...bySeq.keys()),
  };
  // Not for a late line alone: it goes on when it has taken what is said now, or its status says so.
  return wasLeft && after.pending.length === timeline.pending.length ? leftBehind(after) : after;
}

/** @param {Timeline} timeline @param {string | null} conversation @returns {boolean} it is above */
function isLeft(timeline, conversation) {
  const isCurrent = timeline.conversation === conversation;
  return !isCurrent && timeline.earlier.some((one) => one.conversation === conversation);
}

/**
 * @param {Timeline} timeline
 * @param {string} conversation
 * @returns {boolean} he has left it last and nothing has begun since: if it was closed for silence,
 *   the next message goes into it
 */
function mayGoOn(timeline, conversation) {
  return timeline.conversation === null && timeline.earlier.at(-1)?.conversation === conversation;
}

/**
 * The timeline, in that conversation: it begins below what was said before, or goes on.
 *
 * @param {Timeline} timeline
 * @param {string} conversation
 * @returns {Timeline}
 */
function within(timeline, conversation) {
  if (timeline.conversation === conversation) return timeline;
  const said = [...timeline.earlier, ...timeline.messages];
  const messages = said.filter((one) => one.conversation === conversation);
  return {
    ...timeline,
    conversation,
    status: "BOT",
    agent: "",
    read: { customer: 0, agent: 0 },
    rating: null,
    lastSeq: messages.at(-1)?.seq ?? 0,
    messages,
    earlier: said.filter((one) => one.conversation !== conversation),
  };
}
