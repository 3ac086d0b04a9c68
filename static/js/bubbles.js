// @ts-check
/**
 * One line of a conversation as an element: a message, a day, or "a new conversation".
 * The markup stands in templates/chat/_message.html; this file fills it.
 *
 * @typedef {import("./timeline.js").Row} Row
 * @typedef {{me: import("./timeline.js").Sender, texts: import("./texts.js").Texts, language: string, now: () => Date,
 *   seen?: (message: import("./timeline.js").Message) => string,
 *   onRetry?: (clientId: string) => void, onEdit?: (clientId: string) => void,
 *   onRemove?: (clientId: string) => void,
 *   onButton?: (button: import("./timeline.js").Button) => void,
 *   files?: import("./file-views.js").FileViews,
 *   note?: {create: (row: NoteRow) => HTMLElement, update: (element: HTMLElement, row: NoteRow) => void},
 *   decorate?: (element: HTMLElement, row: Extract<Row, {kind: "message"}>) => void}} Options
 *   seen: what to say about a message to staff, "" for nothing
 *   note: how staff's notes are drawn; decorate: what else a page shows at a message
 * @typedef {Extract<Row, {kind: "note"}>} NoteRow
 */
import { fill } from "./links.js";
import { clock, day } from "./times.js";

/**
 * @param {Row} row
 * @param {Options} options
 * @returns {HTMLElement}
 */
export function create(row, options) {
  const { me, texts, onRetry, onEdit, onRemove } = options;
  if (row.kind === "note" && options.note) return options.note.create(row);
  if (row.kind !== "message") {
    const line = document.createElement("div");
    line.className = "divider";
    return line;
  }
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById("message-template"));
  const element = /** @type {HTMLElement} */ (
    /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
  );
  element.dataset.sender = row.sender;
  if (row.sender === me) element.dataset.own = "";
  part(element, "who").textContent = texts(`who-${row.sender}`, { name: row.author });
  part(element, "retry").addEventListener("click", () => onRetry?.(row.key));
  part(element, "edit").addEventListener("click", () => onEdit?.(row.key));
  part(element, "remove").addEventListener("click", () => onRemove?.(row.key));
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {Row} row
 * @param {Options} options
 */
export function update(element, row, options) {
  const { me, texts, language, now, seen, onButton } = options;
  if (row.kind === "note") {
    options.note?.update(element, row);
    return;
  }
  if (row.kind !== "message") {
    set(element, row.kind === "day" ? day(row.at, now(), language) : texts("new-conversation"));
    return;
  }
  element.dataset.state = row.state;
  element.classList.toggle("is-first", row.first);
  element.classList.toggle("is-last", row.last);
  element.classList.toggle("is-newest", row.newest);
  const text = row.message?.recalled_at ? texts("recalled") : row.text;
  element.toggleAttribute("data-recalled", Boolean(row.message?.recalled_at));
  if (element.dataset.text !== text) {
    element.dataset.text = text;
    fill(part(element, "text"), text);
  }
  options.files?.draw(part(element, "files"), row.attachments);
  part(element, "bubble").hidden = !text && row.attachments.length > 0;
  const author = part(element, "author");
  // My own line, just acknowledged, has no name yet: it is mine anyway.
  const named = row.sender === "BOT" || (row.sender === "AGENT" && (row.author || row.sender !== me));
  author.hidden = !row.first || !named;
  set(author, row.author || (row.sender === "BOT" ? texts("assistant") : texts("agent")));
  set(part(element, "avatar"), row.sender === "AGENT" ? [...row.author].at(0) ?? "" : "");

  const time = /** @type {HTMLTimeElement} */ (part(element, "time"));
  time.dateTime = row.at;
  set(time, clock(row.at, language));
  element.toggleAttribute("data-read", row.isRead);
  const state = row.state === "sent" && row.isRead ? "read" : row.state;
  set(part(element, "state"), row.state === "refused" ? row.reason : texts(`state-${state}`));
  part(element, "retry").hidden = row.state !== "failed";
  part(element, "edit").hidden = row.state !== "refused";
  part(element, "remove").hidden = row.state !== "refused";

  const note = row.message && seen ? seen(row.message) : "";
  part(element, "seen").hidden = !note;
  set(part(element, "seen"), note);

  const buttons = part(element, "buttons");
  const labels = row.buttons.map((button) => button.label).join("\n");
  if (buttons.dataset.labels !== labels) {
    buttons.dataset.labels = labels;
    buttons.hidden = !labels;
    buttons.replaceChildren(...row.buttons.map((button) => chip(button.label, () => onButton?.(button))));
  }
  options.decorate?.(element, row);
}

/**
 * @param {string} label
 * @param {() => void} onClick
 * @returns {HTMLButtonElement}
 */
export function chip(label, onClick) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "chip";
  button.textContent = label;
  button.addEventListener("click", onClick);
  return button;
}

/**
 * @param {Element} element
 * @param {string} name
 * @returns {HTMLElement} the element marked data-part="name"
 */
export function part(element, name) {
  const found = element.querySelector(`[data-part="${name}"]`);
  if (!found) throw new Error(`No element is marked data-part="${name}"`);
  return /** @type {HTMLElement} */ (found);
}

/** @param {Element} element @param {string} text written only when it differs: a screen reader listens */
export function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
