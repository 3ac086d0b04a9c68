import assert from "node:assert/strict";
import { test } from "node:test";

import { sizeOf } from "../../static/js/sizes.js";
import { Uploads } from "../../static/js/uploads.js";

const named = (name, size = 10) => ({ name, size });
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Uploads whose server answers when a test says so. */
function started() {
  const sent = [];
  const forgotten = [];
  const uploads = new Uploads({
    send: (file, progress, signal) =>
      new Promise((resolve, reject) =>
        sent.push({ file, progress, signal, reject, done: () => resolve({ id: file.name, name: file.name, size: file.size }) }),
      ),
    forget: ({ id }) => forgotten.push(id),
    explain: (error) => ({ reason: error.message, mayHelp: error.message === "network" }),
    refuse: (file) => (file.size > 100 ? "too large" : ""),
    onChange: () => {},
  });
  return { uploads, sent, forgotten };
}

test("two go at a time, and the message waits for the last of them", async () => {
  const { uploads, sent } = started();

  uploads.add([named("1"), named("2"), named("3")]);
  assert.equal(sent.length, 2);
  sent[0].done();
  await settled();

  assert.deepEqual(sent.map(({ file }) => file.name), ["1", "2", "3"]);
  assert.equal(uploads.state, "uploading");
  sent[1].done();
  sent[2].done();
  await settled();
  assert.equal(uploads.state, "ready");
  assert.deepEqual(uploads.take().map(({ id }) => id), ["1", "2", "3"]);
  assert.equal(uploads.state, "none");
});

test("what the server would refuse is not sent", () => {
  const { uploads, sent } = started();

  uploads.add([named("huge", 101)]);

  assert.equal(sent.length, 0);
  assert.deepEqual([uploads.state, uploads.list[0].reason, uploads.list[0].mayHelp], ["failed", "too large", false]);
});

test("one that the network lost may be tried again, one that was refused may not", async () => {
  const { uploads, sent } = started();
  uploads.add([named("1"), named("2")]);

  sent[0].reject(new Error("network"));
  sent[1].reject(new Error("wrong type"));
  await settled();
  for (const { key } of uploads.list) uploads.again(key);

  assert.deepEqual(sent.map(({ file }) => file.name), ["1", "2", "1"]);
  assert.deepEqual(uploads.list.map(({ state }) => state), ["uploading", "failed"]);
});

test("a removed one is stopped, and forgotten by the server if it had arrived", async () => {
  const { uploads, sent, forgotten } = started();
  uploads.add([named("1"), named("2"), named("3")]);
  sent[0].done();
  await settled();

  uploads.remove(uploads.list[0].key);
  uploads.remove(uploads.list[0].key);
  sent[1].done(); // on its way while it was removed
  await settled();

  assert.ok(sent[1].signal.aborted);
  assert.deepEqual(forgotten, ["1", "2"]);
  assert.deepEqual(uploads.list.map(({ name }) => name), ["3"]);
});

test("the files of a message that is edited come back", () => {
  const { uploads, sent } = started();

  uploads.put([{ id: "a", name: "a.png", size: 5 }]);

  assert.deepEqual([uploads.state, sent.length, uploads.take().length], ["ready", 0, 1]);
});

test("sizes are by thousands, as the limit is", () => {
  assert.deepEqual(
    [0, 1_400, 999_499, 1_000_000, 1_440_000].map((bytes) => sizeOf(bytes, "en")),
    ["1 kB", "1 kB", "999 kB", "1 MB", "1.4 MB"],
  );
});
