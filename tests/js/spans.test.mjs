import assert from "node:assert/strict";
import { test } from "node:test";

import { curve, dayAndTime, moodName, pieces, slice } from "../../static/js/spans.js";

const entity = (text, start, kind = "PHONE") => ({ kind, text, start, end: start + [...text].length, value: {} });

test("pieces count code points: an emoji before an entity moves nothing", () => {
  const text = "😡😡 电话13812345678谢谢";
  const found = pieces(text, [entity("13812345678", 5)]);
  assert.deepEqual(
    found.map(({ text: piece, entity: one }) => [piece, one?.kind ?? ""]),
    [["😡😡 电话", ""], ["13812345678", "PHONE"], ["谢谢", ""]],
  );
});

test("what is not where it says, or overlaps, is left out, and no character is lost", () => {
  const text = "abc def";
  const found = pieces(text, [entity("def", 4), entity("c d", 2), entity("x", 0)]);
  assert.equal(found.map((piece) => piece.text).join(""), text);
  assert.deepEqual(
    found.filter((piece) => piece.entity).map((piece) => piece.text),
    ["c d"],
  );
  assert.deepEqual(pieces("", []), []);
});

test("a slice counts code points, too", () => {
  assert.equal(slice("😡ab", 1, 2), "a");
});

test("the curve has a point in the middle of each sentence whose mood is known", () => {
  const mood = (score) => ({ score });
  const sentences = [
    { start: 0, end: 10, mood: mood(1) },
    { start: 10, end: 20, mood: null },
    { start: 20, end: 40, mood: mood(-1) },
  ];
  assert.deepEqual(curve(sentences, { width: 80, height: 20 }), [
    { x: 10, y: 0 },
    { x: 60, y: 20 },
  ]);
  assert.deepEqual(curve([], { width: 80, height: 20 }), []);
});

test("moods have names", () => {
  assert.deepEqual([{ score: -0.9 }, { score: 0 }, { score: 0.3 }, null].map(moodName), ["negative", "neutral", "positive", ""]);
});

test("a day is told as a day, a moment with its time on the shop's clock", () => {
  assert.equal(dayAndTime("2026-11-20"), "2026-11-20");
  assert.equal(dayAndTime("2026-11-21T10:00:00+08:00"), "2026-11-21 10:00");
});
