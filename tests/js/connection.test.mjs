import assert from "node:assert/strict";
import { test } from "node:test";

import { backoffMs, comeBackMs } from "../../static/js/connection.js";

test("the first attempt comes within half a second", () => {
  assert.equal(backoffMs(0, 0), 250);
  assert.equal(backoffMs(0, 1), 500);
});

test("waiting doubles, half of it drawn by lot", () => {
  assert.deepEqual([1, 2, 3].map((attempt) => backoffMs(attempt, 0)), [500, 1000, 2000]);
  assert.deepEqual([1, 2, 3].map((attempt) => backoffMs(attempt, 1)), [1000, 2000, 4000]);
});

test("nobody waits longer than half a minute, even after a weekend", () => {
  assert.equal(backoffMs(10_000, 1), 30_000);
});

test("clients of a server that restarts move at once, spread over a second", () => {
  assert.deepEqual([0, 0.5, 1].map((lot) => comeBackMs(1012, 0, lot)), [0, 500, 1000]);
});

test("those who do not get in then wait as after any loss", () => {
  assert.equal(comeBackMs(1012, 1, 1), backoffMs(1, 1));
  assert.equal(comeBackMs(1006, 0, 1), backoffMs(0, 1));
});
