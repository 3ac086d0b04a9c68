import assert from "node:assert/strict";
import { test } from "node:test";

import { codeOf, found } from "../../static/js/admin/intent-search.js";
import { initials } from "../../static/js/pinyin.js";

const INTENTS = [
  { code: "refund_status", name: "退款进度", names: ["退款进度", "Refund status"] },
  { code: "coupon", name: "优惠券", names: ["优惠券", "Coupons"] },
  { code: "return_goods", name: "退货", names: ["退货", "Returns"] },
];
const codes = (query) => found(INTENTS, query).map(({ code }) => code);

test("nothing typed shows all in their order", () => {
  assert.deepEqual(codes(" "), ["refund_status", "coupon", "return_goods"]);
});

test("names in both languages, codes and first letters of the pinyin find an intent", () => {
  assert.deepEqual(codes("优惠"), ["coupon"]);
  assert.deepEqual(codes("yhq"), ["coupon"]);
  assert.deepEqual(codes("tk"), ["refund_status"]);
  assert.deepEqual(codes("COUP"), ["coupon"]);
  assert.deepEqual(codes("return_g"), ["return_goods"]);
  assert.deepEqual(codes("进度"), ["refund_status"]);
  assert.deepEqual(codes("天气"), []);
});

test("letters are those of pinyin, at their borders too", () => {
  assert.equal(initials("物流查询"), "wlcx");
  assert.equal(initials("阿吖搭打低机肌喔哦拿那妈吗罗临领"), "aadddjjoonnmmlll");
});

test("a better fit comes first, equals stay in their order", () => {
  assert.deepEqual(codes("退"), ["refund_status", "return_goods"]);
  assert.deepEqual(codes("re"), ["refund_status", "return_goods"]);
  assert.deepEqual(codes("退货"), ["return_goods"]);
});

test("a code is made of the English name", () => {
  assert.equal(codeOf("Cash on delivery"), "cash_on_delivery");
  assert.equal(codeOf("  3D Secure? "), "d_secure");
  assert.equal(codeOf("货到付款"), "");
});
