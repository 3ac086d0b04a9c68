import assert from "node:assert/strict";
import { test } from "node:test";

import { isId, isUnread, newcomers, ordered, urgency, wanting } from "../../static/js/inbox.js";

const entry = (conversation, overrides = {}) => ({
  conversation, uid: "anon-1", customer: "", language: "zh", status: "WAITING", agent: "",
  agent_is_me: false, waiting_since: "2026-11-22T10:00:00Z", last_text: "", last_seq: 3, ...overrides,
});
const mine = { status: "AGENT", agent: "小林", agent_is_me: true };
const others = { status: "AGENT", agent: "小陈" };

test("the longest waiting is on top, then mine, then those of others", () => {
  const inbox = [
    entry("others", others),
    entry("mine", mine),
    entry("late", { waiting_since: "2026-11-22T10:05:00Z" }),
    entry("early"),
  ];

  assert.deepEqual(ordered(inbox).map((one) => one.conversation), ["early", "late", "mine", "others"]);
});

test("news is who began to wait, also somebody whom an agent gave back to the queue", () => {
  const before = [entry("a"), entry("b", mine)];

  assert.deepEqual(newcomers(before, before), []);
  assert.deepEqual(
    newcomers(before, [entry("a"), entry("b"), entry("c")]).map((one) => one.conversation),
    ["b", "c"],
  );
});

test("the badge counts who waits and what is new in my own conversations", () => {
  const inbox = [entry("a"), entry("b", mine), entry("c", mine), entry("d", others)];

  assert.equal(wanting(inbox, new Map([["b", 3]])), 2); // a waits, c has news
  assert.equal(isUnread(entry("a"), new Map([["a", 2]])), true);
});

test("waiting becomes urgent after two minutes and late after five; being served never does", () => {
  const after = (seconds) => new Date(Date.parse("2026-11-22T10:00:00Z") + seconds * 1000);

  assert.deepEqual(
    [119, 120, 299, 300].map((seconds) => urgency(entry("a"), after(seconds))),
    ["", "urgent", "urgent", "late"],
  );
  assert.equal(urgency(entry("a", mine), after(3600)), "");
});

test("an address names a conversation only by a UUID", () => {
  assert.equal(isId("aaaaaaaa-0000-4000-8000-000000000000"), true);
  for (const text of ["", "garbage", "%E4%BD%A0", "aaaaaaaa00004000800000000000", "../x"]) {
    assert.equal(isId(text), false, text);
  }
});
