import assert from "node:assert/strict";
import { test } from "node:test";

import { found, keyNames } from "../../static/js/command-search.js";
import { pieces } from "../../static/js/highlight.js";
import {
  changed, inView, isId, isUnread, newcomers, news, NO_FILTERS, passes, promised, urgency, wanting,
} from "../../static/js/inbox.js";
import { initials } from "../../static/js/pinyin.js";

const entry = (conversation, overrides = {}) => ({
  conversation, uid: "anon-1", customer: "", language: "zh", status: "WAITING", agent: "",
  agent_is_me: false, is_for_me: true, waiting_since: "2026-11-22T10:00:00Z",
  changed_at: "2026-11-22T10:00:00Z", queue_id: 1, intent: "", is_escalated: false, labels: [],
  last_text: "", last_seq: 3, last_customer_seq: 3, read_seq: 0, ...overrides,
});
const ids = (entries) => entries.map((one) => one.conversation);
const mine = { status: "AGENT", agent: "小林", agent_is_me: true };
const others = { status: "AGENT", agent: "小陈" };

test("each view has its conversations in its order", () => {
  const inbox = [
    entry("others", { ...others, changed_at: "2026-11-22T11:00:00Z" }),
    entry("mine", mine),
    entry("late", { waiting_since: "2026-11-22T10:05:00Z" }),
    entry("early"),
    entry("escalated", { waiting_since: "2026-11-22T10:07:00Z", is_escalated: true }),
    entry("not mine to take", { is_for_me: false }),
    entry("ended", { status: "CLOSED" }),
  ];

  assert.deepEqual(ids(inView(inbox, "mine")), ["mine"]);
  assert.deepEqual(ids(inView(inbox, "queue")), ["escalated", "early", "late"]);
  assert.equal(ids(inView(inbox, "all"))[0], "others");
  assert.equal(inView(inbox, "all").length, 6);
  assert.deepEqual(ids(inView(inbox, "closed")), ["ended"]);
});

test("what has changed takes the place of what was, and what is gone goes", () => {
  const inbox = [entry("a"), entry("b"), entry("c")];

  const after = changed(inbox, { inbox: [entry("b", mine), entry("d")], gone: ["c", "x"] });

  assert.deepEqual(ids(after).sort(), ["a", "b", "d"]);
  assert.equal(after.find((one) => one.conversation === "b").agent_is_me, true);
});

test("filters narrow a list, and none lets everything pass", () => {
  const now = new Date("2026-11-22T10:06:00Z");
  const one = entry("a", { labels: [{ id: 7 }], queue_id: 2, language: "en", intent: "refund" });
  const is = (filters) => passes(one, { ...NO_FILTERS, ...filters }, new Map(), now);

  assert.equal(is({}), true);
  for (const [filters, other] of [
    [{ queue: "2" }, { queue: "1" }], [{ label: "7" }, { label: "8" }],
    [{ language: "en" }, { language: "zh" }], [{ intent: "refund" }, { intent: "invoice" }],
    [{ waiting: "300" }, { waiting: "600" }],
  ]) {
    assert.deepEqual([is(filters), is(other)], [true, false], JSON.stringify(filters));
  }
  assert.equal(is({ unread: "1" }), true);
  assert.equal(passes({ ...one, read_seq: 3 }, { ...NO_FILTERS, unread: "1" }, new Map(), now), false);
});

test("news is what is assigned to me, said to me, waits for me, or is the supervisors' to see", () => {
  const before = [entry("a"), entry("b", mine), entry("c"), entry("own reply", mine)];
  const after = [
    entry("a", mine),
    entry("b", { ...mine, last_customer_seq: 5 }),
    entry("c", { is_escalated: true }),
    entry("own reply", { ...mine, last_seq: 9 }),
    entry("d"),
    entry("e", { is_for_me: false }),
  ];
  const told = (who) => news(before, after, who).map(({ kind, entry: one }) => `${kind} ${one.conversation}`);

  assert.deepEqual(told({ isSupervisor: false }), ["assigned a", "message b", "waiting d"]);
  assert.deepEqual(told({ isSupervisor: true }), ["assigned a", "message b", "escalated c", "waiting d"]);
  assert.deepEqual(news(after, after, { isSupervisor: true }), []);
});

test("commands are found by name, by the letters of their pinyin and in English", () => {
  const commands = [
    { id: "hand_back", label: "交还给机器人" },
    { id: "close", label: "结束会话" },
    { id: "shortcuts", label: "键盘快捷键" },
  ];
  const of = (query) => found(commands, query).map(({ id }) => id);

  assert.deepEqual(of(""), ["hand_back", "close", "shortcuts"]);
  assert.deepEqual(of("会话"), ["close"]);
  assert.deepEqual(of("jh"), ["hand_back"]);
  assert.deepEqual(of("JSHH"), ["close"]);
  assert.deepEqual(of("kjj"), ["shortcuts"]);
  assert.deepEqual(of("hand b"), ["hand_back"]);
  assert.deepEqual(of("xyz"), []);
  assert.equal(initials("转接 VIP 客户"), "zjvipkh");
  assert.deepEqual([keyNames("KeyK"), keyNames("ArrowUp")], [["Alt", "K"], ["Alt", "↑"]]);
});

test("found words are marked wherever they stand, and the pieces are the text", () => {
  const text = "我要退款，怎么退款？(REFUND)";
  const marks = (words) => pieces(text, words).filter((one) => one.isMarked).map((one) => one.text);

  assert.deepEqual(marks(["退款"]), ["退款", "退款"]);
  assert.deepEqual(marks(["refund", "("]), ["(", "REFUND"]);
  assert.deepEqual(marks(["退", "退款"]), ["退款", "退款"]);
  assert.deepEqual(marks([]), []);
  assert.equal(pieces(text, ["要", "款"]).map((one) => one.text).join(""), text);
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

test("what a queue promised is told when it is due within an hour, and when it is late", () => {
  const now = new Date("2026-11-22T10:00:00Z");
  const due = (sla_due_at) => promised(entry("a", { sla_due_at }), now);

  assert.equal(due(null), null);
  assert.equal(due("2026-11-22T11:00:01Z"), null);
  assert.deepEqual(due("2026-11-22T10:01:30Z"), { seconds: 90, isMissed: false });
  assert.deepEqual(due("2026-11-22T09:59:50Z"), { seconds: 10, isMissed: true });
});
