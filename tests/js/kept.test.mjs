/** What outlives a page: unsent messages, drafts, and who is signed in. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { Drafts } from "../../static/js/drafts.js";
import { Outbox } from "../../static/js/outbox.js";
import { inMemory, openStore } from "../../static/js/outbox-store.js";
import { latest } from "../../static/js/tokens.js";
import { news } from "../../static/js/unseen.js";
import { empty, leftBehind, posted, received } from "../../static/js/timeline.js";

/** Its items are its own keys, as in a browser's. */
class Storage {
  getItem(key) { return Object.hasOwn(this, key) ? this[key] : null; }
  setItem(key, value) { this[key] = String(value); }
  removeItem(key) { delete this[key]; }
}
const forbidden = () => { throw new Error("SecurityError"); };
const NOW = new Date("2026-11-22T10:00:00Z");
const unsent = (client_id, sent_at = "2026-11-22T09:59:00Z") => ({ client_id, text: client_id, sent_at });

/** As a browser has them: held until the tab is closed. */
class Locks {
  #held = /** @type {Map<string, string>} */ (new Map());
  #waiting = /** @type {(() => void)[]} */ ([]);

  /** The locks as one tab sees them. */
  of(tab) {
    return {
      request: async (name, work) => {
        while (this.#held.has(name)) await new Promise((go) => this.#waiting.push(go));
        this.#held.set(name, tab);
        const result = await work();
        this.#release((one) => one === name);
        return result;
      },
      query: async () => ({ held: [...this.#held.keys()].map((name) => ({ name })) }),
    };
  }

  /** A tab is closed, or crashes. */
  close(tab) {
    this.#release((name) => this.#held.get(name) === tab);
  }

  #release(which) {
    for (const name of [...this.#held.keys()].filter(which)) this.#held.delete(name);
    for (const go of this.#waiting.splice(0)) go();
  }
}

/** An outbox, and what it has taken up so far. */
function tab(who, store, locks) {
  const outbox = new Outbox(who, store, locks);
  const found = [];
  return {
    outbox,
    found,
    restore: async (now = NOW) => {
      await outbox.restore(now, (more) => found.push(...more.map((one) => one.client_id)));
      return found;
    },
  };
}

test("a page that shows nothing yet does not empty the outbox", async () => {
  const store = inMemory();
  tab("C1001", store).outbox.save([unsent("a")]);

  const reloaded = tab("C1001", store);
  reloaded.outbox.save([]);

  assert.deepEqual(await reloaded.restore(), ["a"]);
});

test("a message is taken up once, and let go when it has arrived", async () => {
  const store = inMemory();
  tab("", store).outbox.save([unsent("a")]);
  const reloaded = tab("", store);

  await reloaded.restore();
  await reloaded.restore();
  assert.deepEqual(reloaded.found, ["a"]);

  reloaded.outbox.save([]);
  assert.deepEqual(await store.all(), []);
});

test("the files of a message are kept with it", async () => {
  const store = inMemory();
  const before = new Outbox("C1", store, undefined);
  before.save([{ ...unsent("a"), attachments: [{ id: "f1", name: "a.png" }] }]);

  const found = [];
  await new Outbox("C1", store, undefined).restore(NOW, (more) => found.push(...more));

  assert.deepEqual(found[0].attachments.map(({ id }) => id), ["f1"]);
});

test("a message has one sender: a tab leaves alone what a living one will send", async () => {
  const [store, locks] = [inMemory(), new Locks()];
  const [one, other] = [tab("", store, locks.of("one")), tab("", store, locks.of("other"))];
  one.outbox.save([unsent("a"), unsent("b")]);

  assert.deepEqual(await other.restore(), []);
  other.outbox.save([]); // and takes nothing away
  assert.equal((await store.all()).length, 2);
});

test("what a closed tab left goes at once to exactly one of the others", async () => {
  const [store, locks] = [inMemory(), new Locks()];
  const one = tab("", store, locks.of("one"));
  const others = ["x", "y"].map((name) => tab("", store, locks.of(name)));
  one.outbox.save([unsent("a"), unsent("b")]);
  for (const other of others) assert.deepEqual(await other.restore(), []);

  locks.close("one");
  await new Promise((done) => setTimeout(done, 10));

  const found = others.map((other) => other.found).sort((x, y) => x.length - y.length);
  assert.deepEqual(found, [[], ["a", "b"]]);
});

test("the order is that of writing, whatever the clock says", async () => {
  const store = inMemory();
  const first = tab("", store);
  first.outbox.save([unsent("a", "2026-11-22T13:00:00Z")]);
  first.outbox.save([unsent("a", "2026-11-22T13:00:00Z"), unsent("b", "2026-11-22T09:00:00Z")]);
  const second = tab("", store);
  await second.restore();
  second.outbox.save([unsent("a"), unsent("b"), unsent("c", "2026-11-22T08:00:00Z")]);

  assert.deepEqual(await tab("", store).restore(), ["a", "b", "c"]);
});

test("a clock that jumps by hours loses nothing; after a week nobody waits any more", async () => {
  const store = inMemory();
  tab("", store).outbox.save([
    unsent("late", "2026-11-22T01:00:00Z"),
    unsent("of tomorrow", "2026-11-23T01:00:00Z"),
    unsent("old", "2026-11-15T01:00:00Z"),
  ]);

  assert.deepEqual(await tab("", store).restore(), ["late", "of tomorrow"]);
  assert.equal((await store.all()).length, 2);
});

test("nobody sends what somebody else wrote", async () => {
  const store = inMemory();
  tab("C1001", store).outbox.save([unsent("a")]);

  assert.deepEqual(await tab("C1003", store).restore(), []);
  assert.deepEqual(await tab("C1001", store).restore(), ["a"]);
});

test("where storage is forbidden a message lives as long as the page", async () => {
  globalThis.indexedDB = { open() { throw new Error("SecurityError"); } };
  const outbox = tab("", openStore());

  outbox.outbox.save([unsent("a")]);

  assert.deepEqual(await outbox.restore(), []); // it has it already
  outbox.outbox.save([]);
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

test("where storage is forbidden the page works without drafts", () => {
  const drafts = new Drafts("", forbidden);
  drafts.keep("hello");

  assert.equal(drafts.of(), "");
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
  const goesOn = received(leftBehind(later), { type: "status", conversation: "A", status: "BOT", agent: "" });
  assert.equal(news(leftBehind(later), goesOn, history), 0);
});

test("what came while he was away is news, as far as this browser or his marks know", () => {
  const said = (seq, sender, more = {}) => ({ conversation: "a", seq, sender, text: "x", ...more });
  const before = { me: "CUSTOMER", conversation: "a", messages: [], earlier: [] };
  const after = {
    ...before,
    messages: [
      said(1, "CUSTOMER"), said(2, "BOT"), said(3, "SYSTEM"), said(4, "AGENT"),
      said(5, "AGENT", { recalled_at: "2026-11-22T10:00:00Z" }), said(6, "SYSTEM", { recalls: 5 }), said(7, "AGENT"),
    ],
  };
  const history = { conversation: "a", lastSeq: 7 };

  assert.equal(news(before, after, { ...history, seen: 2, read: 0 }), 3); // the system's line, too
  assert.equal(news(before, after, { ...history, seen: null, read: 0 }), 2);
  assert.equal(news(before, after, { ...history, seen: null, read: 4 }), 1);
  assert.equal(news(before, after, { ...history, seen: 2, read: 7 }), 0);
});
