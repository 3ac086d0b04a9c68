// @ts-check
/** The demo shop's page: signing out, and on a phone opening and closing the chat. */
import { part } from "./bubbles.js";
import { readTexts } from "./texts.js";
import { signOut } from "./tokens.js";

for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", () => {
    signOut();
    location.assign(/** @type {HTMLElement} */ (button).dataset.signOut ?? "/");
  });
}

const opener = /** @type {HTMLElement | null} */ (document.querySelector("[data-chat-open]"));
if (opener) wire(opener);

/** @param {HTMLElement} opener */
function wire(opener) {
  const texts = readTexts();
  const show = (/** @type {boolean} */ open) => {
    document.body.classList.toggle("is-chatting", open);
    opener.setAttribute("aria-expanded", String(open));
  };
  const close = () => {
    show(false);
    opener.focus();
  };
  opener.addEventListener("click", () => {
    show(true);
    document.querySelector("textarea")?.focus();
  });
  document.querySelector("[data-chat-close]")?.addEventListener("click", close);
  addEventListener("keydown", (event) => {
    const isOpen = opener.getAttribute("aria-expanded") === "true";
    if (event.key === "Escape" && !event.isComposing && isOpen) close();
  });
  document.querySelector("cs-chat")?.addEventListener("unseen", (event) => {
    const count = /** @type {CustomEvent<number>} */ (event).detail;
    part(opener, "unseen").hidden = !count;
    part(opener, "unseen-count").textContent = count > 99 ? "99+" : String(count);
    part(opener, "unseen-text").textContent = count ? texts("new-messages", { count }) : "";
  });
}
