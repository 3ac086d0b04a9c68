/** What a waiting customer reads: his place, and no more about the wait than is known. */
import assert from "node:assert/strict";
import test from "node:test";

import { waitText } from "../../static/js/queue.js";

const NOW = new Date("2026-11-22T20:00:00+08:00");
const texts = (key, values = {}) => [key, ...Object.values(values)].join(" ");
const said = (place) =>
  waitText({ position: 3, wait_low_s: null, wait_high_s: null, open: true, opens_at: null, ...place }, texts, "en", NOW);

test("the place alone while nobody knows the wait", () => {
  assert.equal(said({}), "queue-place 3");
});

test("an interval in minutes", () => {
  assert.equal(said({ wait_low_s: 120, wait_high_s: 300 }), "queue-between 3 2 5");
});

test("one number where the interval begins at nothing or has no width", () => {
  assert.equal(said({ wait_low_s: 0, wait_high_s: 60 }), "queue-up-to 3 1");
  assert.equal(said({ wait_low_s: 300, wait_high_s: 300 }), "queue-up-to 3 5");
});

test("outside hours when people are back", () => {
  assert.match(said({ open: false, opens_at: "2026-11-23T09:00:00+08:00" }), /^queue-opens .*\d\d:\d\d$/);
  assert.equal(said({ open: false }), "queue-closed");
});
