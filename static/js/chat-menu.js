// @ts-check
/** The disclosure in the head of the chat: it closes as menus do. */
import { part } from "./bubbles.js";

export class ChatMenu {
  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    const menu = /** @type {HTMLDetailsElement} */ (part(chat, "menu"));
    const summary = /** @type {HTMLElement} */ (menu.querySelector("summary"));
    menu.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation(); // it would also fold the chat away
      menu.open = false;
      summary.focus();
    });
    menu.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest("button")) menu.open = false;
    });
    document.addEventListener("click", ({ target }) => {
      if (target instanceof Node && !menu.contains(target)) menu.open = false;
    });
    chat.on("state", ({ timeline }) => {
      menu.hidden = !timeline.conversation;
    });
  }
}
