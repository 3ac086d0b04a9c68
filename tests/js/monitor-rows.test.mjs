import assert from "node:assert/strict";
import { test } from "node:test";

import { duration, expected, hours, nameOf, owed, target } from "../../static/js/monitor-rows.js";

/** Texts that show which one was asked for, with its values. */
const texts = (key, values = {}) => [key, ...Object.values(values)].join(" ");
const NOW = new Date("2026-11-23T10:00:00Z");
const at = (seconds) => new Date(NOW.getTime() + seconds * 1000).toISOString();

test("a time is told in the two largest units", () => {
  assert.equal(duration(5, texts), "seconds 5");
  assert.equal(duration(65, texts), "minutes-seconds 1 5");
  assert.equal(duration(3_725, texts), "hours-minutes 1 2");
});

test("a visitor is called by the end of his uid", () => {
  assert.equal(nameOf({ customer: "", uid: "anon-12ab" }, texts), "visitor 12AB");
  assert.equal(nameOf({ customer: "王芳", uid: "C1" }, texts), "王芳");
});

test("what an agent owes runs out, and before that it is told how long he has", () => {
  const one = { conversation: "", customer: "", uid: "", since: at(-70), opened: true, owed_since: null };
  assert.deepEqual(owed({ ...one, lease_until: null }, NOW, texts), {
    text: "has-since minutes-seconds 1 10",
    isUrgent: false,
  });
  assert.deepEqual(owed({ ...one, lease_until: at(90) }, NOW, texts).text, "has-owes minutes-seconds 1 30");
  assert.equal(owed({ ...one, opened: false, lease_until: at(20) }, NOW, texts).text, "has-unopened seconds 20");
  assert.ok(owed({ ...one, lease_until: at(20) }, NOW, texts).isUrgent);
  assert.deepEqual(owed({ ...one, lease_until: at(-1) }, NOW, texts), { text: "has-late", isUrgent: true });
});

test("a target counts down from what the server counted, and is missed below zero", () => {
  const sla = { kind: "FIRST_RESPONSE", due_at: null, left_s: 60, is_running: true };
  assert.deepEqual(target(sla, 20, texts), { text: "sla-FIRST_RESPONSE seconds 40", isMissed: false });
  assert.deepEqual(target(sla, 65, texts), { text: "sla-FIRST_RESPONSE-missed seconds 5", isMissed: true });
  assert.deepEqual(target(null, 65, texts), { text: "", isMissed: false });
});

test("outside business hours it stands", () => {
  const sla = { kind: "RESOLUTION", due_at: null, left_s: 60, is_running: false };
  assert.equal(target(sla, 300, texts).text, "sla-stands sla-RESOLUTION minutes-seconds 1 0");
  assert.equal(target(sla, 300, texts).isMissed, false);
});

test("an expected wait is an interval in minutes, or unknown", () => {
  assert.equal(expected({ wait_low_s: 60, wait_high_s: 240 }, texts), "wait-between 1 4");
  assert.equal(expected({ wait_low_s: null, wait_high_s: null }, texts), "–");
});

test("a queue tells until when it is open or closed", () => {
  assert.equal(hours({ open: true, changes_at: null }, NOW, "en", texts), "open");
  assert.match(hours({ open: true, changes_at: at(60) }, NOW, "en", texts), /^open-until \d\d:\d\d$/);
  assert.match(hours({ open: false, changes_at: at(5 * 86_400) }, NOW, "en", texts), /^closed-until .*28/);
});
