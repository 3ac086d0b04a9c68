// @ts-check
// Below each field for utterances: what stands against the sentence, while it is being typed.

import { hintedLines, lineAt } from "./hinted-lines.js";

const PAUSE_MS = 60; // after the last key, before the server is asked
const BEHIND_MS = 1000; // until what a colleague has just saved is known, the server is asked again
const TEXTS_MOST = 50; // of one request

/**
 * @typedef {{ kind: string, utterance: number, text: string, intent: string, name: string, says: string,
 *   does: string, edit: string, can_move: boolean }} Hint
 */

const panel = /** @type {HTMLElement | null} */ (document.querySelector("[data-hints-url]"));
const words = panel?.dataset ?? {};
let count = 0;

/** @param {string} url @param {object} body */
async function post(url, body) {
  const csrf = /** @type {HTMLInputElement} */ (document.querySelector("[name=csrfmiddlewaretoken]"));
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf.value },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
}

/** The intent to which the page's sentences are added: its code, its key where one chooses it, "" for a new one. */
function intent() {
  const chosen = /** @type {HTMLSelectElement | null} */ (document.getElementById("id_intent"));
  return Number(chosen?.value) || words.intent || "";
}

/**
 * Have the page know of its own move, so that saving it later is not taken for a save over a colleague's.
 * @param {number} revision of the page's intent, after it; more than one further, and a colleague has saved, too
 */
function follow(revision) {
  const opened = /** @type {HTMLInputElement | null} */ (document.getElementById("id_opened_revision"));
  if (opened && Number(opened.value) + 1 === revision) opened.value = String(revision);
}

/** @param {string} text @param {string} className @param {() => void} act */
function button(text, className, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = `cs-button cs-small ${className}`;
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

/** One field with the list of hints below it. */
class Hinted {
  /** @param {HTMLInputElement | HTMLTextAreaElement} field @param {number | null} utterance */
  constructor(field, utterance) {
    this.field = field;
    this.utterance = utterance;
    this.intent = ""; // its code, as the server last said
    this.shown = "";
    this.asked = 0;
    this.timer = 0;
    this.list = document.createElement("div");
    this.list.className = "cs-hints";
    this.list.id = `hints-${++count}`;
    this.list.setAttribute("role", "group");
    this.list.setAttribute("aria-label", words.label ?? "");
    this.list.hidden = true;
    // What is said aloud is the news, not the whole list each time.
    this.said = document.createElement("p");
    this.said.className = "cs-unseen";
    this.said.setAttribute("role", "status");
    this.said.setAttribute("aria-live", "polite");
    const below = document.createElement("div");
    below.className = "cs-hinted";
    below.append(this.list, this.said);
    field.after(below);
    field.setAttribute("aria-describedby", [field.getAttribute("aria-describedby"), this.list.id].filter(Boolean).join(" "));
    field.addEventListener("input", (event) => {
      if (/** @type {InputEvent} */ (event).isComposing) return; // letters of an input method
      this.soon();
    });
    field.addEventListener("compositionend", () => this.soon());
    field.addEventListener("keydown", (event) => {
      // From the field to its hints without passing what else is on the page.
      if (/** @type {KeyboardEvent} */ (event).key === "Escape" && !this.list.hidden) {
        event.preventDefault();
        this.show([], []);
      }
    });
  }

  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  async look() {
    const mine = ++this.asked;
    const lines = this.field instanceof HTMLTextAreaElement
      ? hintedLines(this.field.value, lineAt(this.field.value, this.field.selectionStart), TEXTS_MOST)
      : hintedLines(this.field.value, 0, 1);
    if (!lines.length) {
      this.show([], []);
      return;
    }
    try {
      const texts = lines.map((line) => [line, this.utterance]);
      const answer = await post(words.hintsUrl ?? "", { intent: intent(), texts });
      if (mine !== this.asked) return; // a later key has been asked about
      this.intent = answer.intent;
      this.show(lines, answer.hints);
      if (answer.behind) this.timer = setTimeout(() => this.look(), BEHIND_MS);
    } catch {
      if (mine === this.asked) this.show([], []); // hints are a help; the form works without them
    }
  }

  /** @param {string[]} lines @param {Hint[][]} hints */
  show(lines, hints) {
    const shown = JSON.stringify([lines, hints]);
    if (shown === this.shown) return; // asked once more: whoever is at one of its buttons stays there
    this.shown = shown;
    const rows = lines.flatMap((line, at) => hints[at].map((hint, place) => {
      // What it would do to another intent is said once.
      const isTold = hints[at].slice(0, place).some((before) => before.intent === hint.intent);
      return this.row(line, isTold ? { ...hint, does: "" } : hint, lines.length > 1);
    }));
    this.list.replaceChildren(...rows);
    this.list.hidden = !rows.length;
    // Not behind the bar with the buttons.
    if (this.field === document.activeElement) rows[0]?.scrollIntoView({ block: "nearest" });
    this.said.textContent = hints.flat().map((hint) => `${hint.says}: ${hint.text}`).slice(0, 2).join(" ");
  }

  /** @param {string} line @param {Hint} hint @param {boolean} namesLine */
  row(line, hint, namesLine) {
    const row = document.createElement("div");
    row.className = `cs-hint cs-hint-${hint.kind}`;
    const text = document.createElement("p");
    const says = document.createElement("strong");
    says.textContent = hint.says;
    const other = document.createElement("q");
    other.textContent = hint.text;
    text.append(says, " ", other);
    if (namesLine) {
      const which = document.createElement("span");
      which.className = "cs-quiet";
      which.textContent = ` ← ${line}`;
      text.append(which);
    }
    const does = document.createElement("p");
    does.className = "cs-quiet";
    does.textContent = hint.does;
    const buttons = document.createElement("p");
    buttons.className = "cs-hint-buttons";
    if (hint.can_move) buttons.append(button(words.move ?? "", "cs-plain", () => this.move(hint, buttons)));
    if (hint.intent !== this.intent) buttons.append(button(words.keep ?? "", "cs-plain", () => this.keep(line, hint, buttons)));
    const edit = document.createElement("a");
    edit.className = "cs-button cs-plain cs-small";
    edit.href = hint.edit;
    edit.target = "_blank";
    edit.rel = "noopener";
    edit.textContent = words.edit ?? "";
    buttons.append(edit);
    row.append(text, ...(hint.does ? [does] : []), buttons);
    return row;
  }

  /** @param {HTMLElement} buttons @param {string} text @param {(() => void)=} undo */
  done(buttons, text, undo) {
    clearTimeout(this.timer); // what was decided stays to be read
    this.asked++;
    buttons.textContent = text;
    this.said.textContent = text;
    if (undo) buttons.append(" ", button(words.undo ?? "", "cs-plain", undo));
    this.field.focus();
  }

  /** @param {Hint} hint @param {HTMLElement} buttons */
  async move(hint, buttons) {
    const here = this.intent;
    const change = async (/** @type {string} */ source, /** @type {string} */ target) => {
      const answer = await post(words.moveUrl ?? "", { utterance: hint.utterance, source, target });
      if (answer.moved) follow(answer.revisions[here]);
      return answer;
    };
    try {
      const { moved } = await change(hint.intent, here);
      if (!moved) return this.done(buttons, words.gone ?? "");
      this.done(buttons, words.moved ?? "", async () => {
        try {
          const back = await change(here, hint.intent);
          this.done(buttons, (back.moved ? words.movedBack : words.gone) ?? "");
        } catch {
          this.done(buttons, words.failed ?? "");
        }
      });
    } catch {
      this.done(buttons, words.failed ?? "");
    }
  }

  /** @param {string} line @param {Hint} hint @param {HTMLElement} buttons */
  async keep(line, hint, buttons) {
    try {
      await post(words.keepUrl ?? "", { text: line, other: hint.text });
      this.done(buttons, words.kept ?? "");
    } catch {
      this.done(buttons, words.failed ?? "");
    }
  }
}

/** @param {HTMLElement} field */
function utteranceOf(field) {
  const id = /** @type {HTMLInputElement | null} */ (document.getElementById(field.id.replace(/-text$/, "-id")));
  const pk = Number(id && field.id.endsWith("-text") ? id.value : words.utterance);
  return pk || null;
}

function watchAll() {
  const fields = document.querySelectorAll(
    "#id_new_utterances, [name^=utterances-][name$=-text], .model-utterance #id_text",
  );
  for (const field of fields) {
    if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) continue;
    if (field.dataset.hinted || field.name.includes("__prefix__") || field.type === "hidden") continue;
    field.dataset.hinted = "yes";
    new Hinted(field, utteranceOf(field));
  }
}

if (panel) {
  watchAll();
  document.addEventListener("formset:added", watchAll);
  // So that the first key finds everything ready.
  post(words.hintsUrl ?? "", { intent: "", texts: [] }).catch(() => {});
}
