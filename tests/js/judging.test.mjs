import assert from "node:assert/strict";
import { test } from "node:test";
import { meaning, neighbour } from "../../static/js/admin/judging.js";

test("letters mean what the page says, in either case; other keys mean nothing", () => {
  assert.equal(meaning("j"), "next");
  assert.equal(meaning("K"), "previous");
  assert.equal(meaning("A"), "a");
  assert.equal(meaning("u"), "u");
  assert.equal(meaning("Enter"), "");
});

test("the list has two ends", () => {
  assert.equal(neighbour(0, 3, "previous"), 0);
  assert.equal(neighbour(0, 3, "next"), 1);
  assert.equal(neighbour(2, 3, "next"), 2);
});
