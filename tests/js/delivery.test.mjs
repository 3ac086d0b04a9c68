/** The order of sending, and that nothing is given up: with a network that does as it is told. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";

globalThis.window = globalThis;
const { Delivery } = await import("../../static/js/delivery.js");
const { Refused } = await import("../../static/js/api.js");

const A = { client_id: "a", text: "A" };
const B = { client_id: "b", text: "B" };

/** A page whose socket is `open` or not; `post` is what REST does. */
function page({ open = true, post = async () => {} } = {}) {
  const sent = [];
  const pending = new Set(["a", "b", "c", "d"]);
  const refused = [];
  const delivery = new Delivery({
    send: (frame) => {
      if (open) sent.push(frame.client_id);
      return open;
    },
    post: async (text, id) => {
      sent.push(`REST ${id}`);
      await post(id);
      pending.delete(id);
      delivery.settled(id);
    },
    isPending: (id) => pending.has(id),
    onFailed: () => {},
    onRefused: ({ client_id }) => {
      pending.delete(client_id);
      refused.push(client_id);
    },
  });
  const arrive = (id) => {
    pending.delete(id);
    delivery.settled(id);
  };
  return { delivery, sent, pending, refused, arrive };
}

const rounds = async (ms) => {
  for (let passed = 0; passed < ms; passed += 500) {
    mock.timers.tick(500);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }
};

test("the next message goes out when the one before has arrived", () => {
  const { delivery, sent, arrive } = page();
  delivery.deliver(A);
  delivery.deliver(B);
  assert.deepEqual(sent, ["a"]);

  arrive("a");
  assert.deepEqual(sent, ["a", "b"]);
  arrive("b");
});

test("conversations do not wait for each other", () => {
  const { delivery, sent, arrive } = page();
  delivery.deliver({ ...A, conversation: "x" });
  delivery.deliver({ ...B, conversation: "y" });

  assert.deepEqual(sent, ["a", "b"]);
  arrive("a");
  arrive("b");
});

test("after a reconnect only the first one is sent again", () => {
  const { delivery, sent, arrive } = page();
  for (const one of [A, B, A, B]) delivery.deliver(one);

  assert.deepEqual(sent, ["a", "a"]);
  arrive("a");
  arrive("b");
});

test("a message that was taken back holds up nobody", () => {
  const { delivery, sent, pending, arrive } = page();
  delivery.deliver(A);
  pending.delete("a");
  delivery.deliver(B);

  assert.deepEqual(sent, ["a", "b"]);
  arrive("b");
});

test("a message without an acknowledgement goes over REST before the next one goes at all", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let attempts = 0;
  const { delivery, sent, pending } = page({
    open: false,
    post: async () => {
      attempts += 1;
      if (attempts < 3) throw new Error("not reachable");
    },
  });
  delivery.deliver(A);
  delivery.deliver(B);

  await rounds(60_000);

  assert.deepEqual(sent, ["REST a", "REST a", "REST a", "REST b"]);
  assert.equal(pending.has("a") || pending.has("b"), false);
  mock.timers.reset();
});

test("a message that is refused for good makes room for the next one", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { delivery, sent, refused } = page({
    open: false,
    post: async (id) => {
      if (id === "a") throw new Refused(400, "blocked", "");
    },
  });
  delivery.deliver(A);
  delivery.deliver(B);

  await rounds(10_000);

  assert.deepEqual([refused, sent], [["a"], ["REST a", "REST b"]]);
  mock.timers.reset();
});

test("files go along by their ids, over the socket as over REST", async () => {
  const frames = [];
  const posts = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  const delivery = new Delivery({
    send: (frame) => frames.push(frame) > 0,
    post: async (...sent) => posts.push(sent),
    isPending: () => true,
    onFailed: () => {},
  });

  delivery.deliver({ client_id: "a", text: "", attachments: [{ id: "f1" }, { id: "f2" }] });
  await rounds(9_000);
  mock.timers.reset();

  assert.deepEqual(frames[0], { type: "message", client_id: "a", text: "", attachments: ["f1", "f2"] });
  assert.deepEqual(posts[0], ["", "a", ["f1", "f2"]]);
});
