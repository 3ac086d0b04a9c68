/** The keys of the workspace, in a page that knows only its dialogs. */
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

globalThis.CSS = { supports: () => true };
const { Commands } = await import("../../static/js/commands.js");

const ran = [];
let isDialogOpen = false;
let pressed;

/** @returns {boolean} whether the key was kept from the browser */
function alt(code) {
  let isKept = false;
  pressed({ code, key: code, altKey: true, preventDefault: () => (isKept = true) });
  return isKept;
}

beforeEach(() => {
  ran.length = 0;
  isDialogOpen = false;
  globalThis.document = { querySelector: () => (isDialogOpen ? {} : null) };
  globalThis.addEventListener = (_type, listener) => (pressed = listener);
  const commands = new Commands();
  for (const [id, code] of [["next", "ArrowDown"], ["commands", "KeyK"]]) {
    commands.add({ id, code, label: id, run: () => ran.push(id) });
  }
  commands.listen(() => ran.push("leave"));
});

test("a key runs its command and is kept from the browser", () => {
  assert.equal(alt("ArrowDown"), true);
  assert.deepEqual(ran, ["next"]);
});

test("under a dialog keys are the dialog's", () => {
  isDialogOpen = true;

  assert.equal(alt("ArrowDown"), false);
  assert.deepEqual(ran, []);
});

test("the command bar is closed by the key that opened it", () => {
  isDialogOpen = true;

  assert.equal(alt("KeyK"), true);
  assert.deepEqual(ran, ["commands"]);
});
