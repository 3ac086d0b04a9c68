/** What outlives a page: unsent messages, drafts, and who is signed in. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts } from "../../static/js/drafts.js";
import { Outbox } from "../../static/js/outbox.js";
import { latest } from "../../static/js/tokens.js";
import { news } from "../../static/js/unseen.js";
import { empty, posted, received } from "../../static/js/timeline.js";

/** Its items are its own keys, as in a browser's. */
class Storage {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }
  setItem(key, value) { this[key] = String(value); }
  removeItem(key) { delete this[key]; }
}
const forbidden = () => { throw new Error("SecurityError"); };
const NOW = new Date("2026-11-22T10:00:00Z");
const unsent = (client_id, sent_at = "2026-11-22T09:59:00Z") => ({ client_id, text: client_id, sent_at });
const ids = (outbox) => outbox.restore(NOW).map((one) => one.client_id);

test("a page that shows nothing yet does not empty the outbox", () => {
  const storage = new Storage();
  new Outbox("C1001", () => storage).save([unsent("a")]);

  const reloaded = new Outbox("C1001", () => storage);
  reloaded.save([]);

  assert.deepEqual(ids(reloaded), ["a"]);
});

test("a tab lets go of what it settled, and of nothing that another tab still has", () => {
  const storage = new Storage();
  const [one, other] = [new Outbox("", () => storage), new Outbox("", () => storage)];

  one.save([unsent("a", "2026-11-22T09:58:00Z"), unsent("b")]);
  other.save([unsent("c", "2026-11-22T09:59:30Z")]);
  one.save([unsent("b")]);
  other.save([unsent("c")]);

  assert.deepEqual(ids(new Outbox("", () => storage)), ["b", "c"]);
});

test("what was taken up after a reload is let go when it has arrived", () => {
  const storage = new Storage();
  new Outbox("", () => storage).save([unsent("a")]);
  const reloaded = new Outbox("", () => storage);
  reloaded.restore(NOW);

  reloaded.save([]);

  assert.deepEqual(Object.keys(storage), []);
});

test("nobody sends what somebody else wrote, and nothing is sent hours later", () => {
  const storage = new Storage();
  new Outbox("C1001", () => storage).save([unsent("a"), unsent("old", "2026-11-22T08:00:00Z")]);

  assert.deepEqual(ids(new Outbox("C1003", () => storage)), []);
  assert.deepEqual(ids(new Outbox("C1001", () => storage)), ["a"]);
});

test("an item that is not ours to read stops nothing", () => {
  const storage = new Storage();
  storage.setItem("customer-service.outbox.x", "{broken");
  new Outbox("", () => storage).save([unsent("a")]);

  assert.deepEqual(ids(new Outbox("", () => storage)), ["a"]);
});

test("drafts are kept by writer and conversation, and go when the field is empty", () => {
  const storage = new Storage();
  const drafts = new Drafts("staff 1", () => storage);
  drafts.keep("hello", "c1");
  drafts.keep("other", "c2");

  const reloaded = new Drafts("staff 1", () => storage);
  assert.deepEqual([reloaded.of("c1"), reloaded.of("c2"), reloaded.of("c3")], ["hello", "other", ""]);
  assert.equal(new Drafts("staff 2", () => storage).of("c1"), "");
  reloaded.keep("", "c1");
  assert.equal(drafts.of("c1"), "");
});

test("where storage is forbidden the page works without", () => {
  const [outbox, drafts] = [new Outbox("", forbidden), new Drafts("", forbidden)];
  outbox.save([unsent("a")]);
  drafts.keep("hello");

  assert.deepEqual([ids(outbox), drafts.of()], [[], ""]);
});

test("a page goes on as who it is, with the newest token of that person", () => {
  const [own, newer] = [{ refresh: "1", uid: "C1001", name: "" }, { refresh: "2", uid: "C1001", name: "" }];

  assert.equal(latest(own, newer), newer);
  assert.equal(latest(own, { refresh: "3", uid: "C1003", name: "" }), own);
  assert.equal(latest(own, null), own);
  assert.equal(latest(null, newer), newer);
});

test("the history is no news, what comes after it is, and my own lines never are", () => {
  const line = (seq, sender = "BOT") => ({ conversation: "A", seq, sender, client_id: null });
  const frame = (...messages) => ({ type: "messages", conversation: "A", messages, last_seq: messages.at(-1).seq });
  const welcome = { type: "welcome", conversation: "A", status: "BOT", agent: "", last_seq: 2 };
  const history = received(empty("CUSTOMER"), welcome);

  const loaded = received(history, frame(line(1, "CUSTOMER"), line(2)));
  const later = received(loaded, frame(line(3, "CUSTOMER"), line(4, "AGENT"), line(5)));

  assert.equal(news(history, loaded, history), 0);
  assert.equal(news(loaded, later, history), 2);
  assert.equal(news(later, received(later, frame(line(5))), history), 0);
  assert.equal(news(later, posted(later, unsent("a")), history), 0);
});
