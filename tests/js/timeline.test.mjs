import assert from "node:assert/strict";
import { test } from "node:test";

import * as timelines from "../../static/js/timeline.js";

const A = "aaaaaaaa-0000-4000-8000-000000000000";
const B = "bbbbbbbb-0000-4000-8000-000000000000";
const AT = "2026-11-22T10:00:00Z";

const message = (seq, overrides = {}) => ({
  conversation: A, seq, sender: "BOT", text: `text ${seq}`, sent_at: AT, client_id: null,
  answers: null, decision: "", intent: "", probability: null, buttons: [], author: "", ...overrides,
});
const frame = (...messages) => ({
  type: "messages", conversation: A, messages, last_seq: messages.at(-1).seq,
});
const typed = (client_id, timeline = timelines.empty("CUSTOMER")) =>
  timelines.posted(timeline, { client_id, text: "hi", sent_at: AT });
const accepted = (client_id, seq, conversation = A) => ({
  type: "accepted", client_id, conversation, seq, text: "hi", sent_at: AT,
});
const lines = (timeline) => timelines.rows(timeline).filter((row) => row.kind === "message");
const apply = (frames, start = timelines.empty("CUSTOMER")) => frames.reduce(timelines.received, start);

test("an acknowledged message is drawn once, under the key it was typed with", () => {
  const timeline = apply([accepted("k1", 1)], typed("k1"));

  assert.deepEqual(lines(timeline).map(({ key, state }) => [key, state]), [["k1", "sent"]]);
});

test("the message itself may come before its acknowledgement", () => {
  const own = message(1, { sender: "CUSTOMER", client_id: "k1" });

  const timeline = apply([frame(own), accepted("k1", 1)], typed("k1"));

  assert.equal(lines(timeline).length, 1);
});

test("the stored text replaces the typed one: sensitive words are starred", () => {
  const timeline = apply([{ ...accepted("k1", 1), text: "**" }], typed("k1"));

  assert.equal(lines(timeline)[0].text, "**");
});

test("frames in every order, each of them twice, give one conversation", () => {
  const frames = [frame(message(1)), frame(message(2)), frame(message(3))];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

  for (const order of orders) {
    const timeline = apply([...order, ...order.toReversed()].map((index) => frames[index]));

    assert.deepEqual(timeline.messages.map(({ seq }) => seq), [1, 2, 3]);
    assert.equal(timelines.hasGap(timeline), false);
  }
});

test("a gap is seen, and catching up starts where the conversation is complete", () => {
  const timeline = apply([frame(message(1), message(2)), frame(message(5))]);

  assert.equal(timelines.hasGap(timeline), true);
  assert.equal(timelines.completeUpTo(timeline), 2);
});

test("a welcome that knows more than we have is a gap", () => {
  const welcome = { type: "welcome", conversation: A, status: "BOT", agent: "", last_seq: 4 };

  assert.equal(timelines.hasGap(apply([welcome])), true);
});

test("what is not sent yet stays last, and buttons above it are gone", () => {
  const asking = message(1, { buttons: [{ label: "A", text: "A" }] });

  assert.equal(lines(apply([frame(asking)]))[0].buttons.length, 1);
  const timeline = typed("k1", apply([frame(asking)]));

  assert.deepEqual(lines(timeline).map(({ state }) => state), ["sent", "sending"]);
  assert.equal(lines(timeline)[0].buttons.length, 0);
});

test("a blocked message is refused for good, an unavailable server only for now", () => {
  const refused = (code) =>
    apply([{ type: "refused", code, detail: "why", client_id: "k1" }], typed("k1"));

  assert.equal(refused("blocked").pending[0].state, "refused");
  assert.equal(refused("blocked").pending[0].reason, "why");
  assert.deepEqual(timelines.unsent(refused("blocked")), []);
  assert.equal(refused("unavailable").pending[0].state, "failed");
  assert.equal(timelines.unsent(refused("unavailable")).length, 1);
});

test("a refusal that comes after the acknowledgement changes nothing", () => {
  const before = apply([accepted("k1", 1)], typed("k1"));

  const after = apply([{ type: "refused", code: "blocked", detail: "", client_id: "k1" }], before);

  assert.deepEqual(lines(after), lines(before));
});

test("a new conversation begins below the old one, and late frames of the old one are ignored", () => {
  const closed = { type: "status", conversation: A, status: "CLOSED", agent: "" };
  const before = apply([frame(message(1), message(2)), closed]);

  const timeline = apply([accepted("k2", 1, B), frame(message(3))], typed("k2", before));

  assert.equal(timeline.conversation, B);
  assert.equal(timeline.status, "BOT");
  assert.deepEqual(
    timelines.rows(timeline).map(({ kind }) => kind),
    ["day", "message", "message", "new", "message"],
  );
});

const CLOSED = { type: "status", conversation: A, status: "CLOSED", agent: "" };
const OPEN = { type: "status", conversation: A, status: "BOT", agent: "" };
const own = (seq, client_id) => message(seq, { sender: "CUSTOMER", client_id });
const left = () => timelines.leftBehind(apply([frame(message(1), message(2)), CLOSED]));
const drawn = (timeline) => timelines.rows(timeline).map(({ kind, key }) => (kind === "message" ? key : kind));

test("one that was closed for silence goes on, although the customer began anew", () => {
  const frames = [accepted("k1", 3), frame(own(3, "k1"), message(4)), OPEN];
  const orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

  for (const order of orders) {
    const timeline = apply(order.map((index) => frames[index]), typed("k1", left()));

    assert.deepEqual([timeline.conversation, timeline.status, timeline.lastSeq], [A, "BOT", 4]);
    assert.deepEqual(drawn(timeline), ["day", `${A} 1`, `${A} 2`, "k1", `${A} 4`]);
    assert.deepEqual([timeline.pending, timeline.earlier], [[], []]);
    assert.equal(timelines.hasGap(timeline), false);
  }
});

test("it goes on with an acknowledgement alone, and what was said meanwhile is a gap", () => {
  const timeline = apply([accepted("k1", 5)], typed("k1", left()));

  assert.equal(timeline.conversation, A);
  assert.equal(timelines.completeUpTo(timeline), 2);
  assert.equal(timelines.hasGap(timeline), true);
});

test("it goes on with a welcome, too: another tab has opened it again", () => {
  const welcome = { type: "welcome", conversation: A, status: "BOT", agent: "", last_seq: 3 };

  const timeline = apply([welcome, frame(message(3))], left());

  assert.deepEqual(timeline.messages.map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(timelines.hasGap(timeline), false);
});

test("what is said in it before it is known to go on is not lost", () => {
  const system = message(3, { sender: "SYSTEM" });
  const waiting = { ...OPEN, status: "WAITING" };

  const timeline = apply([frame(system), waiting], left());

  assert.deepEqual(timeline.messages.map(({ seq }) => seq), [1, 2, 3]);
  assert.equal(timeline.status, "WAITING");
});

test("one that was left stays above while nothing is said that goes on with it", () => {
  const welcome = { ...CLOSED, type: "welcome", last_seq: 3 };

  const timeline = apply([CLOSED, welcome, frame(message(1), message(2), message(3))], left());

  assert.equal(timeline.conversation, null);
  assert.deepEqual(timeline.messages, []);
  assert.deepEqual(timeline.earlier.map(({ seq }) => seq), [1, 2, 3]);
  assert.deepEqual(drawn(typed("k1", timeline)).slice(-2), ["new", "k1"]);
});

test("late frames of one that has ended are dropped as soon as another one has begun", () => {
  const begun = apply([accepted("k1", 1, B)], typed("k1", left()));

  for (const late of [frame(message(3)), OPEN, CLOSED, accepted("k1", 3)]) {
    assert.equal(timelines.received(begun, late), begun);
  }
});

test("what was left before the one that goes on stays above it", () => {
  const first = timelines.leftBehind(apply([frame(message(1)), CLOSED]));
  const second = { ...frame(message(1, { conversation: B })), conversation: B };
  const before = typed("k1", timelines.leftBehind(apply([second], first)));

  const timeline = apply([accepted("k1", 2, B)], before);

  assert.deepEqual(drawn(timeline), ["day", `${A} 1`, "new", `${B} 1`, "k1"]);
});

test("a conversation that ended while we were away is shown as ended", () => {
  const welcome = { type: "welcome", conversation: null, status: "BOT", agent: "", last_seq: 0 };

  const timeline = apply([frame(message(1)), welcome]);

  assert.equal(timeline.status, "CLOSED");
  assert.equal(lines(timeline).length, 1);
});

test("the status of another conversation changes nothing", () => {
  const before = apply([frame(message(1))]);
  const status = { type: "status", conversation: B, status: "AGENT", agent: "x" };

  assert.equal(timelines.received(before, status), before);
});

test("a frame of a newer server is ignored", () => {
  const before = apply([frame(message(1))]);

  assert.equal(timelines.received(before, { type: "from.the.future" }), before);
});

test("lines of one sender stand together, until three minutes or a day have passed", () => {
  const timeline = apply([
    frame(
      message(1, { sent_at: "2026-11-22T10:00:00Z" }),
      message(2, { sent_at: "2026-11-22T10:01:00Z" }),
      message(3, { sent_at: "2026-11-22T10:09:00Z" }),
      message(4, { sent_at: "2026-11-24T10:09:30Z" }),
    ),
  ]);

  assert.deepEqual(lines(timeline).map(({ first, last }) => [first, last]), [
    [true, false], [false, true], [true, true], [true, true],
  ]);
  assert.equal(timelines.rows(timeline).filter(({ kind }) => kind === "day").length, 2);
});

test("keys are unique and stay the same while a message is sent", () => {
  const before = typed("k1", apply([frame(message(1), message(2))]));
  const after = apply([accepted("k1", 3)], before);

  const keys = (timeline) => timelines.rows(timeline).map(({ key }) => key);
  assert.deepEqual(keys(after), keys(before));
  assert.equal(new Set(keys(after)).size, keys(after).length);
});

test("a refused message stays where it was said, and later buttons are shown", () => {
  const refusal = { type: "refused", code: "blocked", detail: "why", client_id: "k1" };
  const before = apply([refusal], typed("k1", apply([frame(message(1))])));

  const timeline = apply([frame(message(2, { buttons: [{ label: "A", text: "A" }] }))], before);

  assert.deepEqual(lines(timeline).map(({ text }) => text), ["text 1", "hi", "text 2"]);
  assert.deepEqual(lines(timeline).map(({ buttons }) => buttons.length), [0, 0, 1]);
  assert.equal(lines(timelines.withdrawn(timeline, "k1")).length, 2);
});

test("what was refused in a conversation that has ended stays in it", () => {
  const refusal = { type: "refused", code: "blocked", detail: "why", client_id: "k1" };
  const before = apply([refusal], typed("k1", apply([frame(message(1))])));

  const timeline = apply([accepted("k2", 1, B)], typed("k2", before));

  assert.deepEqual(
    timelines.rows(timeline).map(({ kind, key }) => (kind === "message" ? key : kind)),
    ["day", `${A} 1`, "k1", "new", "k2"],
  );
});

test("the first message of all may be the refused one", () => {
  const refusal = { type: "refused", code: "blocked", detail: "why", client_id: "k1" };

  const timeline = apply([refusal, frame(message(1))], typed("k1"));

  assert.deepEqual(lines(timeline).map(({ key }) => key), ["k1", `${A} 1`]);
});

const FILE = { id: "f1", name: "a.png", content_type: "image/png", size: 9, width: 1, height: 1, url: "/x", thumbnail_url: "/x/t" };
const withFile = () =>
  timelines.posted(timelines.empty("CUSTOMER"), { client_id: "k1", text: "", sent_at: AT, attachments: [FILE] });

test("files are there from the moment of sending, and stay when the message is acknowledged", () => {
  const own = message(1, { sender: "CUSTOMER", client_id: "k1", text: "", attachments: [FILE] });

  for (const frames of [[], [accepted("k1", 1)], [frame(own), accepted("k1", 1)], [accepted("k1", 1), frame(own)]]) {
    const [line] = lines(apply(frames, withFile()));
    assert.deepEqual([line.key, line.attachments], ["k1", [FILE]]);
  }
});

test("a file that cannot be sent is refused for good", () => {
  const refused = { type: "refused", client_id: "k1", code: "no_such_attachment", detail: "gone" };

  const timeline = apply([refused], withFile());

  assert.deepEqual(lines(timeline).map(({ state, reason }) => [state, reason]), [["refused", "gone"]]);
  assert.deepEqual(timelines.unsent(timeline), []);
});

test("what is taken back takes its files along", () => {
  const sent = message(1, { sender: "AGENT", attachments: [FILE] });
  const recall = message(2, { sender: "SYSTEM", recalls: 1 });

  assert.deepEqual(lines(apply([frame(sent, recall)]))[0].attachments, []);
});

test("a message that is taken back loses its text in its place, whatever comes first", () => {
  const line = { conversation: "c", sender: "AGENT", sent_at: "2026-11-22T10:00:00Z", client_id: null, answers: null, decision: "", intent: "", probability: null, buttons: [], author: "小林", recalls: null, recalled_at: null };
  const wrong = { ...line, seq: 1, text: "错了" };
  const after = { ...line, seq: 2, text: "您好" };
  const trace = { ...line, seq: 3, sender: "SYSTEM", text: "撤回", author: "", recalls: 1, sent_at: "2026-11-22T10:00:09Z" };
  const orders = [[wrong, after, trace], [trace, after, wrong], [after, trace, wrong]];
  for (const order of orders) {
    let timeline = { ...timelines.empty("CUSTOMER"), conversation: "c" };
    for (const message of order) {
      timeline = timelines.received(timeline, { type: "messages", conversation: "c", messages: [message], last_seq: 3 });
    }
    const drawn = timelines.rows(timeline).filter((row) => row.kind === "message");
    assert.deepEqual(drawn.map((row) => row.text), ["", "您好"]);
    assert.equal(drawn[0].message.recalled_at, trace.sent_at);
    assert.equal(timelines.completeUpTo(timeline), 3);
  }
});

test("notes stand below the message after which they were written, and have no seq", () => {
  const line = { conversation: "c", sender: "CUSTOMER", sent_at: "2026-11-22T10:00:00Z", client_id: null, answers: null, decision: "", intent: "", probability: null, buttons: [], author: "", text: "x" };
  const note = (id, after_seq) => ({ id, after_seq, text: "n", author: "", is_mine: true, created_at: line.sent_at, mentions: [] });
  const frame = { type: "messages", conversation: "c", messages: [{ ...line, seq: 1 }, { ...line, seq: 2 }], last_seq: 2 };
  const timeline = timelines.received({ ...timelines.empty("AGENT"), conversation: "c" }, frame);
  const kinds = timelines.rows({ ...timeline, notes: [note(7, 0), note(8, 1), note(9, 5)] }).map((row) => row.key);
  assert.deepEqual(kinds.filter((key) => !key.startsWith("day")), ["note 7", "c 1", "note 8", "c 2", "note 9"]);
});
