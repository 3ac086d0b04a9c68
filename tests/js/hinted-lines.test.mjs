import assert from "node:assert/strict";
import { test } from "node:test";

import { hintedLines, lineAt } from "../../static/js/admin/hinted-lines.js";

test("the caret's line is counted from the breaks before it", () => {
  assert.equal(lineAt("", 0), 0);
  assert.equal(lineAt("一\n二\n三", 1), 0);
  assert.equal(lineAt("一\n二\n三", 2), 1);
  assert.equal(lineAt("一\n二\n三", 5), 2);
});

test("the caret's line comes first, then its neighbours", () => {
  assert.deepEqual(hintedLines("甲甲\n乙乙\n丙丙\n丁丁", 2, 3), ["丙丙", "乙乙", "丁丁"]);
});

test("empty lines, single characters and repeats are not asked about", () => {
  assert.deepEqual(hintedLines("\n 退货 \n退\n退货\n😀\n", 0, 50), ["退货"]);
  assert.deepEqual(hintedLines("   ", 0, 50), []);
});
