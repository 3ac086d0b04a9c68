import assert from "node:assert/strict";
import { test } from "node:test";

import { length, sends } from "../../static/js/composer.js";
import { parts } from "../../static/js/links.js";
import { newId } from "../../static/js/outbox.js";
import { filled } from "../../static/js/texts.js";
import { clock, day, elapsed } from "../../static/js/times.js";
import { isSamePerson, loginBody } from "../../static/js/tokens.js";

const key = (overrides = {}) => ({
  key: "Enter", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false,
  isComposing: false, keyCode: 13, ...overrides,
});

test("Enter sends; with Shift it does not", () => {
  assert.equal(sends(key()), true);
  assert.equal(sends(key({ shiftKey: true })), false);
  assert.equal(sends(key({ key: "a" })), false);
});

test("the Enter that chooses a word in an input method never sends", () => {
  assert.equal(sends(key({ isComposing: true, keyCode: 229 })), false);
  assert.equal(sends(key({ isComposing: false, keyCode: 229 })), false); // Safari
});

test("a pictograph counts as one character, as the server counts it", () => {
  assert.equal(length("你好😀"), 3);
});

test("addresses become links and the text stays the text", () => {
  const text = "看这里：https://example.com/a?b=1，谢谢 (http://x.org/y).";

  const found = parts(text);

  assert.equal(found.map((part) => part.text).join(""), text);
  assert.deepEqual(
    found.filter((part) => part.href).map((part) => part.href),
    ["https://example.com/a?b=1", "http://x.org/y"],
  );
});

test("nothing but http and https is a link", () => {
  for (const text of ["javascript:alert(1)", "data:text/html,x", "<a href=x>", "https://", ""]) {
    assert.equal(parts(text).some((part) => part.href), false, text);
  }
});

test("every name in a text is filled in, and an unknown one stays visible", () => {
  assert.equal(filled("{agent} 正在为您服务", { agent: "小林" }), "小林 正在为您服务");
  assert.equal(filled("{left} of {most}", { left: 0 }), "0 of {most}");
});

test("days read as people say them", () => {
  const now = new Date(2026, 10, 22, 0, 30);
  const at = (...fields) => new Date(...fields).toISOString();

  assert.equal(day(at(2026, 10, 22, 0, 1), now, "zh-hans"), "今天");
  assert.equal(day(at(2026, 10, 21, 23, 59), now, "en"), "Yesterday");
  assert.match(day(at(2025, 10, 21), now, "en"), /2025/);
  assert.doesNotMatch(day(at(2026, 9, 1), now, "zh-hans"), /2026/);
});

test("midnight is 00:00, not 24:00", () => {
  assert.equal(clock(new Date(2026, 10, 22, 0, 0).toISOString(), "en"), "00:00");
});

test("nobody has waited a negative time, whatever the clocks say", () => {
  const now = new Date("2026-11-22T10:00:00Z");

  assert.deepEqual(elapsed("2026-11-22T08:58:55Z", now), { hours: 1, minutes: 1, seconds: 5 });
  assert.deepEqual(elapsed("2026-11-22T10:05:00Z", now), { hours: 0, minutes: 0, seconds: 0 });
});

test("ids are UUIDs, also where crypto.randomUUID is missing", (t) => {
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.match(newId(), uuid);

  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  t.after(() => delete crypto.randomUUID);

  assert.match(newId(), uuid);
  assert.notEqual(newId(), newId());
});

test("a visitor who signs in takes his conversations along, another customer does not", () => {
  const customer = { uid: "C1001", signature: "s", name: "林" };
  const visitor = { refresh: "r", uid: "", name: "" };

  assert.deepEqual(loginBody(null, null), {});
  assert.deepEqual(loginBody(customer, visitor), { uid: "C1001", signature: "s", visitor: "r" });
  assert.deepEqual(loginBody({ ...customer, expires: "1790000000" }, null), {
    uid: "C1001", signature: "s", expires: "1790000000",
  });
  assert.deepEqual(loginBody(customer, { ...visitor, uid: "C1002" }), { uid: "C1001", signature: "s" });
});

test("a page of the shop speaks for its customer, whoever the browser was before", () => {
  const customer = { uid: "C1001", signature: "s", name: "林" };

  assert.equal(isSamePerson(customer, { refresh: "r", uid: "C1002", name: "" }), false);
  assert.equal(isSamePerson(customer, { refresh: "r", uid: "C1001", name: "" }), true);
  assert.equal(isSamePerson(null, { refresh: "r", uid: "C1001", name: "" }), true);
  assert.equal(isSamePerson(null, null), false);
});
