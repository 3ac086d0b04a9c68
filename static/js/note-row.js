// @ts-check
/** How a colleague's private note is drawn: between the messages, and in the list beside them. */
import { part, set } from "./bubbles.js";
import { fill } from "./links.js";
import { clock, day } from "./times.js";

/**
 * @param {import("./texts.js").Texts} texts
 * @param {string} language of the page
 */
export function noteRow(texts, language) {
  return {
    /** @returns {HTMLElement} */
    create() {
      const template = /** @type {HTMLTemplateElement} */ (document.getElementById("note-template"));
      const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
      return /** @type {HTMLElement} */ (copy.firstElementChild);
    },

    /** @param {HTMLElement} element @param {{note: import("./timeline.js").Note}} row */
    update(element, { note }) {
      const kind = note.is_whisper ? "whisper" : "note";
      element.classList.toggle("is-whisper", Boolean(note.is_whisper));
      const by = note.is_mine ? texts(`${kind}-mine`) : texts(`${kind}-by`, { author: note.author });
      set(part(element, "by"), by);
      const time = /** @type {HTMLTimeElement} */ (part(element, "time"));
      time.dateTime = note.created_at;
      set(time, `${day(note.created_at, new Date(), language)} ${clock(note.created_at, language)}`);
      if (part(element, "text").textContent !== note.text) fill(part(element, "text"), note.text);
    },
  };
}
