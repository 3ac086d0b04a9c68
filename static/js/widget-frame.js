// @ts-check
/**
 * The frame's end of the widget: waits for the shop's page to say whom it speaks for, then starts
 * the chat. It listens to its parent alone, and only where the parent's origin is one of
 * WIDGET_ORIGINS or our own; it answers to that origin exactly. static/js/widget.js is the other end.
 *
 * While the chat is closed it is not started: one request tells what waits for the customer. Only
 * where somebody may write to him at any moment, or something of his is not sent yet, it is, and has
 * its socket, in the background.
 */
import { SignInRefused } from "./connection.js";
import { sorted } from "./outbox.js";
import { openStore } from "./outbox-store.js";
import { Rest } from "./rest.js";
import { seen } from "./seen.js";
import { CustomerTokens, kept, signOut } from "./tokens.js";

/** Who comes back to the shop's page after so long is asked for once more. */
const LOOK_EVERY_MS = 60_000;

const stage = /** @type {HTMLElement} */ (document.querySelector("[data-origins]"));
const chat = /** @type {HTMLElement} */ (document.querySelector("cs-chat"));
const closer = /** @type {HTMLElement} */ (document.querySelector("[data-widget-close]"));
const allowed = [location.origin, ...(stage.dataset.origins ?? "").split(" ")];
const isAlone = parent === window; // opened by its address
let shop = ""; // the parent's origin, as soon as it has spoken
let isStarted = false;
let lookedAt = -Infinity;
const againIn = [5_000, 15_000, 60_000]; // when the server is not reached
let look = async () => {}; // at what waits, as soon as it is known for whom
let told = ""; // to the shop's page last
const known = { count: 0, isLive: false };

/** @param {object} message */
function tell(message) {
  if (shop) parent.postMessage(message, shop);
}

/** How many are unread, and whether more may come at any moment. @param {Partial<typeof known>} news */
function report(news) {
  Object.assign(known, news);
  if (JSON.stringify(known) !== told) tell({ type: "unread", ...known });
  told = JSON.stringify(known);
}

function start() {
  if (isStarted) return;
  isStarted = true;
  void import("./chat.js");
}

/** @param {import("./timeline.js").Timeline} timeline */
function isLive({ status, messages, pending }) {
  const isWithPeople = status === "WAITING" || status === "AGENT";
  return isWithPeople || pending.length > 0 || messages.at(-1)?.sender === "CUSTOMER";
}

/** The chat of an invisible frame has no size, and counts what comes. @param {boolean} isOpen */
function show(isOpen, isFocused = false) {
  if (isOpen) start();
  stage.hidden = !isOpen;
  const field = /** @type {HTMLElement | null} */ (chat.querySelector("[data-part=composer] textarea"));
  if (isFocused) field?.focus();
}

/** @param {{customer: any, forget: boolean, isOpen: boolean, isFocused: boolean}} said */
function connect({ customer, forget, isOpen, isFocused }) {
  // It speaks for whom the shop's page names: nobody finds what somebody signed in left here.
  if (forget || (!customer && kept()?.uid)) signOut();
  if (customer) {
    const { uid, signature, name, expires } = customer;
    Object.assign(chat.dataset, { uid, signature, customerName: name, expires });
  }
  chat.addEventListener("unseen", (event) => {
    report({ count: /** @type {CustomEvent<number>} */ (event).detail });
  });
  chat.addEventListener("state", (event) => {
    const { timeline, isStarted: isKnown } = /** @type {CustomEvent} */ (event).detail;
    if (isKnown) report({ isLive: isLive(timeline) });
  });
  show(isOpen, isFocused);
  tell({ type: "ready" });
  look = () => lookFor(customer);
  void look();
}

/** @param {import("./tokens.js").Customer | null} customer */
async function lookFor(customer) {
  if (isStarted || performance.now() - lookedAt < LOOK_EVERY_MS) return;
  lookedAt = performance.now();
  const isUnsent = await hasUnsent(customer?.uid ?? kept()?.uid ?? "");
  if (isStarted) return; // opened meanwhile
  if (isUnsent) {
    report({ isLive: true });
    start();
    return;
  }
  if (!customer && !kept()) {
    report({}); // nobody has said anything here: no visitor is made for nothing
    return;
  }
  const language = chat.dataset.pageLanguage ?? "";
  try {
    const waiting = await new Rest(new CustomerTokens(customer, language), language).unread(seen());
    if (isStarted) return;
    const isLive = waiting.status === "WAITING" || waiting.status === "AGENT" || waiting.awaits_answer;
    report({ count: waiting.unread, isLive });
    if (isLive) start();
  } catch (error) {
    if (error instanceof SignInRefused) tell({ type: "refused" });
    else if (againIn.length) {
      // It is not reached. After the last time the next page asks.
      setTimeout(() => {
        lookedAt = -Infinity;
        void look();
      }, againIn.shift());
    }
  }
}

/** @param {string} who as in outbox.js @returns {Promise<boolean>} a page was left before it was sent */
async function hasUnsent(who) {
  return sorted(await openStore().all(), who, () => false, new Date()).orphans.length > 0;
}

addEventListener("message", ({ source, origin, data }) => {
  if (isAlone || source !== parent || !allowed.includes(origin)) return;
  if (data?.type === "connect" && !shop) {
    shop = origin;
    connect(data);
  }
  if (!shop) return;
  if (data?.type === "shown") show(data.isOpen, data.isFocused);
  if (data?.type === "reload") location.reload();
});

new MutationObserver(() => {
  if (chat.dataset.connection === "shut") tell({ type: "refused" });
}).observe(chat, { attributeFilter: ["data-connection"] });

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") void look();
});
closer.hidden = isAlone;
closer.addEventListener("click", () => tell({ type: "close" }));
addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented) tell({ type: "close" });
});
chat.querySelector("[data-part=guest]")?.addEventListener(
  "click",
  (event) => {
    if (isAlone) return;
    event.stopImmediatePropagation(); // the chat would open the page of those without a shop
    signOut();
    tell({ type: "guest" });
  },
  { capture: true },
);
if (isAlone) connect({ customer: null, forget: false, isOpen: true, isFocused: true });
