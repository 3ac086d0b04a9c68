// @ts-check
// What stands against a sentence of the review inbox: asked for once it is shown, so that no decision waits for it.

import { ask, element, filled, part, root, urls, words } from "./review-parts.js";

/**
 * @typedef {{kind: string, text: string, language: string, says: string, against: string[],
 *   moves: boolean, edit: string}} Hint
 * @typedef {{hints: Hint[], behind: boolean}} Answer
 */

const BEHIND_MS = 1000; // until what a colleague has just saved is known, the server is asked again
const PAUSE_MS = 80; // on an intent of the list, before it is compared
const PICKED_MOST = 2;

const mayRead = root.querySelector("[data-hint-list]") !== null;
let asked = 0;
let timer = 0;
let pointed = 0;
let pause = 0;

/**
 * @param {number} id of the sentence
 * @param {readonly string[]} intents codes, "" for a new one
 * @returns {Promise<Answer | null>} null where the server does not answer: the page works without
 */
const hintsOf = (id, intents) =>
  ask(`${urls.hintsUrl?.replace("/0/", `/${id}/`)}?${new URLSearchParams(intents.map((code) => ["intent", code]))}`).catch(
    () => null,
  );

/**
 * Show what stands against the sentence at hand, beside its choices.
 * @param {number} id
 * @param {readonly string[]} proposed codes, in the order of the buttons
 * @param {(code: string) => string} nameOf
 */
export async function showHints(id, proposed, nameOf) {
  const list = part("hint-list");
  if (!mayRead || !list) return;
  const mine = ++asked;
  clearTimeout(timer);
  say(list, [], "");
  const intents = "mayAddIntents" in urls ? [...proposed, ""] : proposed;
  const answer = intents.length ? await hintsOf(id, intents) : { hints: [], behind: false };
  if (mine !== asked || !answer) return; // the next sentence is shown
  const rows = answer.hints.map((hint) => row(hint, hint.against.map((code) => (code ? nameOf(code) : (words.aNewIntent ?? "")))));
  say(list, rows, intents.length ? (words.noHints ?? "") : "");
  const said = part("hints-said");
  if (said) said.textContent = answer.hints.slice(0, 2).map(({ says, text }) => `${says}: ${text}`).join(" ");
  mark(answer.hints);
  if (answer.behind) timer = window.setTimeout(() => mine === asked && showHints(id, proposed, nameOf), BEHIND_MS);
}

/**
 * Show what stands against one sentence in the intent that is about to be chosen from the list.
 * @param {number | null} id null: nothing is compared
 * @param {string} code
 */
export function showPicked(id, code) {
  const place = part("picked-hints");
  if (!place) return;
  place.replaceChildren();
  const mine = ++pointed;
  clearTimeout(pause);
  if (id === null || !code) return;
  pause = window.setTimeout(async () => {
    const answer = await hintsOf(id, [code]);
    if (mine !== pointed || !answer) return;
    place.replaceChildren(...answer.hints.filter(({ against }) => against.length).slice(0, PICKED_MOST).map((hint) => row(hint, [])));
  }, PAUSE_MS);
}

/** @param {HTMLElement} list @param {HTMLElement[]} rows @param {string} none */
function say(list, rows, none) {
  list.replaceChildren(...(rows.length ? rows : none ? [element("p", "cs-quiet", none)] : []));
}

/** Mark the proposals that something stands against. @param {readonly Hint[]} hints */
function mark(hints) {
  const doubtful = new Set(hints.flatMap(({ against }) => against));
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll(".ri-guess[data-code]"))) {
    if (!doubtful.has(button.dataset.code ?? "")) continue;
    const sign = element("span", "ri-doubt", "!");
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", words.doubtful ?? "");
    sign.title = words.doubtful ?? "";
    button.querySelector(".ri-guess-share")?.append(" ", sign);
  }
}

/** @param {Hint} hint @param {string[]} against names */
function row(hint, against) {
  const made = element("div", `cs-hint cs-hint-${hint.kind}`);
  const text = element("p");
  const other = element("q", "", hint.text);
  other.lang = hint.language;
  text.append(element("strong", "", hint.says), " ", other);
  made.append(text);
  const more = [
    against.length ? filled(words.against, { intents: against.join(words.separator) }) : "",
    hint.moves ? (words.moves ?? "") : "",
  ].filter(Boolean);
  if (more.length) made.append(element("p", "cs-quiet", more.join(" · ")));
  const edit = /** @type {HTMLAnchorElement} */ (element("a", "cs-link", words.edit));
  edit.href = hint.edit;
  edit.target = "_blank";
  edit.rel = "noopener";
  made.append(edit);
  return made;
}
