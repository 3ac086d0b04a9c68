import assert from "node:assert/strict";
import { test } from "node:test";

import { fit, found, hole, spells } from "../../static/js/canned-search.js";
import { naming } from "../../static/js/mention-picker.js";

const reply = (fields) => ({ id: 1, shortcut: "th", title: "退货地址 Return address", pinyin: "tui huo di zhi return address", text: "", language: "zh", missing: [], is_own: false, ...fields });

test("letters spell syllables whole, by their beginnings, by initials, and mixed", () => {
  const syllables = ["tui", "huo", "di", "zhi"];
  for (const letters of ["", "tui", "tuihuo", "th", "thdz", "tuih", "thuodz", "tuihuodizhi"]) {
    assert.equal(spells(letters, syllables), true, letters);
  }
  for (const letters of ["huo", "tz", "tuihuodizhix", "x"]) assert.equal(spells(letters, syllables), false, letters);
});

test("what an input method puts between letters does not matter", () => {
  assert.ok(fit(reply({ shortcut: "x" }), "tui'huo") < Infinity);
  assert.ok(fit(reply({ shortcut: "x" }), "Tui Huo") < Infinity);
});

test("a shortcut comes before a title, a title before pinyin, pinyin before the text", () => {
  const replies = [
    reply({ id: 1, shortcut: "a", title: "别的", pinyin: "bie de", text: "th" }),
    reply({ id: 2, shortcut: "b", title: "退货", pinyin: "tui huo" }),
    reply({ id: 3, shortcut: "c", title: "th 开头", pinyin: "th kai tou" }),
    reply({ id: 4, shortcut: "thx", title: "谢谢", pinyin: "xie xie" }),
    reply({ id: 5, shortcut: "d", title: "无关", pinyin: "wu guan", text: "无关" }),
  ];
  assert.deepEqual(found(replies, "th").map(({ id }) => id), [4, 3, 2, 1]);
  assert.equal(found(replies, "").length, 5);
});

test("of two that fit as well, one's own is first", () => {
  const replies = [reply({ id: 1 }), reply({ id: 2, is_own: true })];
  assert.deepEqual(found(replies, "th").map(({ id }) => id), [2, 1]);
});

test("a hole is a variable that stands in the text, not any brace", () => {
  const isVariable = (name) => name === "order_number";
  assert.equal(hole("{x} 订单 {order_name}", isVariable), null);
  assert.deepEqual(hole("订单 {order_number}。", isVariable), { name: "order_number", start: 3, end: 17 });
});

test("@ names a colleague at the caret, and an address is none", () => {
  assert.deepEqual(naming("请 @小"), { from: 2, query: "小" });
  assert.deepEqual(naming("＠"), { from: 0, query: "" });
  assert.equal(naming("a@b"), null);
  assert.equal(naming("@小林 好"), null);
});
