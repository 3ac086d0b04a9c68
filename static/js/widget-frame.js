// @ts-check
/**
 * The frame's end of the widget: waits for the shop's page to say whom it speaks for, then starts
 * the chat. It listens to its parent alone, and only where the parent's origin is one of
 * WIDGET_ORIGINS or our own; it answers to that origin exactly. static/js/widget.js is the other end.
 */
import { kept, signOut } from "./tokens.js";

const stage = /** @type {HTMLElement} */ (document.querySelector("[data-origins]"));
const chat = /** @type {HTMLElement} */ (document.querySelector("cs-chat"));
const closer = /** @type {HTMLElement} */ (document.querySelector("[data-widget-close]"));
const allowed = [location.origin, ...(stage.dataset.origins ?? "").split(" ")];
const isAlone = parent === window; // opened by its address
let shop = ""; // the parent's origin, as soon as it has spoken
let unread = 0;

/** @param {object} message */
function tell(message) {
  if (shop) parent.postMessage(message, shop);
}

/** The chat of an invisible frame has no size, and counts what comes. @param {boolean} isOpen */
function show(isOpen, isFocused = false) {
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
    const count = /** @type {CustomEvent<number>} */ (event).detail;
    if (count !== unread) tell({ type: "unread", count });
    unread = count;
  });
  show(isOpen, isFocused);
  tell({ type: "ready" });
  void import("./chat.js");
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
