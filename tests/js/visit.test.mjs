import assert from "node:assert/strict";
import { test } from "node:test";

import { asksRating, empty, received, rows, unreadOfAgent } from "../../static/js/timeline.js";

const line = (seq, overrides) => ({
  conversation: "a", seq, text: `text ${seq}`, sent_at: "2026-11-22T10:00:00Z", client_id: null,
  answers: null, decision: "", intent: "", probability: null, buttons: [], author: "", ...overrides,
});

test("who answers has read, and a mark is as far as it says", () => {
  const own = (seq) => line(seq, { sender: "CUSTOMER" });
  const frame = (messages, read) => ({ type: "messages", conversation: "a", messages, last_seq: 9, read });
  const isRead = (timeline) =>
    rows(timeline).filter((row) => row.kind === "message" && row.sender === "CUSTOMER").map((row) => row.isRead);
  let timeline = received(empty("CUSTOMER"), frame([own(1), own(2), own(3)]));
  assert.deepEqual(isRead(timeline), [false, false, false]);

  timeline = received(timeline, { type: "status", conversation: "a", status: "AGENT", agent: "x", read: { customer: 0, agent: 1 } });
  assert.deepEqual(isRead(timeline), [true, false, false]);

  timeline = received(timeline, frame([line(4, { sender: "BOT", answers: 2 })]));
  assert.deepEqual(isRead(timeline), [true, true, false]);

  timeline = received(timeline, frame([line(5, { sender: "AGENT" })]));
  assert.deepEqual(isRead(timeline), [true, true, true]);
});

test("only lines of agents that are here in full are worth a mark", () => {
  const status = (customer) => ({ type: "status", conversation: "a", status: "AGENT", agent: "x", read: { customer, agent: 0 } });
  const messages = (...all) => ({ type: "messages", conversation: "a", messages: all, last_seq: 4 });
  let timeline = received(empty("CUSTOMER"), messages(line(1, { sender: "CUSTOMER" }), line(2, { sender: "BOT", answers: 1 })));
  assert.equal(unreadOfAgent(timeline), 0);

  timeline = received(timeline, messages(line(4, { sender: "AGENT" })));
  assert.equal(unreadOfAgent(timeline), 0, "the third is missing");
  timeline = received(timeline, messages(line(3, { sender: "AGENT" })));
  assert.equal(unreadOfAgent(timeline), 4);
  assert.equal(unreadOfAgent(received(timeline, status(4))), 0);
});

test("an ended conversation that was left to begin anew does not come back", () => {
  const welcome = { type: "welcome", conversation: "a", status: "CLOSED", agent: "", last_seq: 1 };
  const ended = received(received(empty("CUSTOMER"), welcome), {
    type: "messages", conversation: "a", messages: [line(1, { sender: "CUSTOMER" })], last_seq: 1,
  });
  assert.equal(ended.conversation, "a");
  const anew = { ...empty("CUSTOMER"), earlier: ended.messages };

  assert.deepEqual(received(anew, welcome), anew);
  assert.equal(received(anew, { ...welcome, conversation: "b", status: "BOT" }).conversation, "b");
});

test("how content he was is not asked when he goes on with the bot", () => {
  const status = (status) => ({ type: "status", conversation: "a", status, agent: "", rating: { score: null, comment: "" } });
  const messages = (...all) => ({ type: "messages", conversation: "a", messages: all, last_seq: all.length });
  const handedBack = received(
    received(empty("CUSTOMER"), messages(line(1, { sender: "CUSTOMER" }), line(2, { sender: "SYSTEM" }))),
    status("BOT"),
  );
  assert.equal(asksRating(handedBack), true);
  const goneOn = received(handedBack, messages(line(3, { sender: "CUSTOMER" })));
  assert.equal(asksRating(goneOn), false);
  assert.equal(asksRating(received(goneOn, status("CLOSED"))), true);
});
