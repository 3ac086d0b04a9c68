import assert from "node:assert/strict";
import test from "node:test";

import { chapter, pressing, spokenOfFirst } from "../../static/js/story.js";

const order = (number, is_named = false) => ({ number, is_named });
const promised = (state, until) => ({ state, until });
const timeline = (...senders) => ({ messages: senders.map((sender, at) => ({ sender, seq: at + 1 })) });

test("the order that is spoken of comes first, the others as they were", () => {
  const sorted = spokenOfFirst([order("3"), order("2"), order("1", true), order("0")]);

  assert.deepEqual(sorted.map(({ number }) => number), ["1", "3", "2", "0"]);
});

test("what may still be done comes before what is over, each by date", () => {
  const sorted = pressing([
    promised("OVER", "2026-01-01"),
    promised("OPEN", "2026-04-02"),
    promised("OVERDUE", "2026-03-01"),
    promised("OPEN", "2026-04-01"),
    promised("KEPT", "2026-02-01"),
  ]);

  assert.deepEqual(
    sorted.map(({ state, until }) => `${state} ${until}`),
    ["OVERDUE 2026-03-01", "OPEN 2026-04-01", "OPEN 2026-04-02", "KEPT 2026-02-01", "OVER 2026-01-01"],
  );
});

test("a new word of the customer's or the bot's begins a chapter, an agent's does not", () => {
  const before = chapter(timeline("CUSTOMER", "BOT"), "AGENT");

  assert.equal(chapter(timeline("CUSTOMER", "BOT", "AGENT", "SYSTEM"), "AGENT"), before);
  assert.notEqual(chapter(timeline("CUSTOMER", "BOT", "CUSTOMER"), "AGENT"), before);
  assert.notEqual(chapter(timeline("CUSTOMER", "BOT"), "WAITING"), before);
});
