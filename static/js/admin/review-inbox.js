// @ts-check
// The review inbox: shows one sentence, sends what is decided, and shows the next that comes back.

import { chooseIntent } from "./intent-picker.js";
import { codeOf } from "./intent-search.js";
import { checkbox, checked, listClusters, onClusterButton, openCluster } from "./review-clusters.js";
import { showHints, showPicked } from "./review-hints.js";
import { ask, element, filled, mayDecide, part, percent, root, say, urls, words } from "./review-parts.js";

/**
 * @typedef {import("./intent-search.js").Intent} Intent
 * @typedef {{id: number, text: string, language: string, messages: number, handed_over: number,
 *   last: string, reasons: Record<string, number>, meant: string, by_agent: boolean, votes: number,
 *   guesses: [string, number][], out_of_scope: number, cluster: number | null, alike: number}} Item
 * @typedef {{item?: Item | null, left: number, decided?: number, taken?: number, draft?: number,
 *   intent?: Intent, undone?: string, gone?: string}} Answer
 * @typedef {import("./review-parts.js").Sentence} Sentence
 */

const LOOK_EVERY_MS = 15_000;
const KEYS_OFF = "review-keys-off";

/** @type {Intent[]} */
let intents = JSON.parse(document.getElementById("ri-intents")?.textContent ?? "[]");
/** @type {Record<string, string>} */
const reasonNames = JSON.parse(document.getElementById("ri-reason-names")?.textContent ?? "{}");

/** @type {Item | null} */
let item = null;
let isBusy = false;

/** @param {string} code */
const nameOf = (code) => intents.find((intent) => intent.code === code)?.name ?? code;

/**
 * Send something that may change what is shown; one at a time.
 *
 * @param {string | undefined} url
 * @param {object} body
 * @param {(answer: Answer) => string} told what to say then
 * @returns {Promise<string>} what went wrong, "" for nothing
 */
async function send(url, body, told) {
  if (isBusy) return "";
  isBusy = true;
  root.setAttribute("aria-busy", "true");
  try {
    const answer = /** @type {Answer} */ (await ask(url, body));
    if (answer.intent && !answer.draft) intents = [...intents, answer.intent];
    if (answer.gone) intents = intents.filter(({ code }) => code !== answer.gone);
    const stayed = answer.taken ? ` ${filled(words.taken, { number: answer.taken })}` : "";
    say(told(answer) + stayed);
    show(answer);
    return "";
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    say(message, true);
    return message || "?";
  } finally {
    isBusy = false;
    root.removeAttribute("aria-busy");
  }
}

// --- Showing -----------------------------------------------------------------------------------

/** @param {number} left */
function count(left) {
  const shown = part("left");
  if (shown) shown.textContent = left.toLocaleString(document.documentElement.lang);
}

/** @param {Answer} answer */
function show(answer) {
  count(answer.left);
  item = answer.item ?? null;
  const card = part("item");
  const empty = part("empty");
  if (!card || !empty) return;
  card.hidden = item === null;
  empty.hidden = item !== null;
  if (!item) return;
  const { reasons, messages, handed_over: handed, last, alike } = item;
  part("reasons")?.replaceChildren(
    ...Object.entries(reasons).map(([reason, number]) => {
      const name = reasonNames[reason] ?? reason;
      const text = number > 1 ? filled(words.times, { reason: name, number }) : name;
      return element("li", "cs-badge", text);
    }),
  );
  const text = part("text");
  if (text) {
    text.textContent = item.text;
    text.lang = item.language;
  }
  const facts = [
    messages === 1 ? words.message : filled(words.messages, { number: messages }),
    handed ? filled(words.handedOver, { number: handed }) : "",
    filled(words.last, { when: last }),
    item.out_of_scope >= 0.2 ? filled(words.outside, { share: percent(item.out_of_scope) }) : "",
  ].filter(Boolean);
  const line = part("facts");
  line?.replaceChildren(facts.join(" · "));
  if (alike > 0 && line) {
    const more = element("button", "cs-link", filled(words.alike, { number: alike }));
    more.addEventListener("click", openOwnCluster);
    line.append(" · ", more);
  }
  const proposed = proposals(item);
  const guesses = proposed.map(guess);
  part("guesses")?.replaceChildren(
    ...(guesses.length ? guesses : [element("p", "cs-quiet", words.noGuess)]),
  );
  showHints(item.id, proposed.map(({ code }) => code), nameOf);
}

/**
 * @param {Item} of
 * @returns {{code: string, share: number | null, more: string}[]} the first is what A accepts
 */
function proposals(of) {
  const ranked = of.guesses
    .filter(([code]) => intents.some((intent) => intent.code === code))
    .map(([code, share]) => ({ code, share, more: "" }));
  if (!intents.some((intent) => intent.code === of.meant)) return ranked.slice(0, 4);
  const by = of.by_agent ? words.agent : words.customer;
  const first = {
    code: of.meant,
    share: ranked.find(({ code }) => code === of.meant)?.share ?? null,
    more: of.votes > 1 ? filled(words.times, { reason: by ?? "", number: of.votes }) : (by ?? ""),
  };
  return [first, ...ranked.filter(({ code }) => code !== of.meant)].slice(0, 4);
}

/** @param {{code: string, share: number | null, more: string}} proposal @param {number} at */
function guess({ code, share, more }, at) {
  const button = element("button", at ? "ri-guess" : "ri-guess is-first");
  button.setAttribute("type", "button");
  button.dataset.code = code;
  button.append(element("kbd", "", at ? String(at + 1) : "A"), element("span", "ri-guess-name", nameOf(code)));
  button.append(element("span", "ri-guess-share", share === null ? "" : percent(share)));
  if (more) button.append(element("span", "ri-guess-more", more));
  button.addEventListener("click", () => label(code));
  return button;
}

// --- Deciding ----------------------------------------------------------------------------------

/** @param {string} intent @param {Sentence[]} [about] */
const label = (intent, about = item ? [item] : []) =>
  about.length &&
  send(urls.decideUrl, { action: "label", intent, items: about.map(({ id }) => id) }, ({ decided }) =>
    filled(words.accepted, { intent: nameOf(intent), number: decided ?? 0 }),
  ).then(afterCluster(about));

/** @param {"out_of_scope" | "ignore" | "skip"} action @param {Sentence[]} [about] */
const putAway = (action, about = item ? [item] : []) =>
  about.length &&
  send(urls.decideUrl, { action, items: about.map(({ id }) => id) }, ({ decided }) =>
    action === "skip" ? (words.skipped ?? "") : filled(words.away, { number: decided ?? 0 }),
  ).then(afterCluster(about));

const undo = () =>
  send(urls.undoUrl, {}, ({ undone }) => filled(words.undone, { what: undone ?? "" })).then(
    listClusters,
  );

/** @param {Sentence[]} about */
const afterCluster = (about) => () => {
  if (about.length > 1 || about[0] !== item) listClusters();
};

/** @param {string} what @param {Sentence[]} about */
function act(what, about) {
  if (!about.length) return;
  const only = about.length === 1 ? (about[0]?.id ?? null) : null;
  if (what === "move") chooseIntent(intents, (code) => label(code, about), (code) => showPicked(only, code));
  else if (what === "new") openNew(about);
  else if (what === "out_of_scope" || what === "ignore" || what === "skip") putAway(what, about);
}

// --- A new intent ------------------------------------------------------------------------------

const dialog = /** @type {HTMLDialogElement | null} */ (root.querySelector("[data-dialog=new]"));
const form = /** @type {HTMLFormElement | null} */ (root.querySelector("[data-new-form]"));

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (form?.elements.namedItem(name));

/** @param {Sentence[]} about */
async function openNew(about) {
  if (!dialog || !form) return;
  let offered = about;
  // Beside the sentence at hand those that mean the same, not chosen yet.
  if (about.length === 1 && about[0] === item && item?.cluster) {
    const { items } = await ask(`${urls.clustersUrl}${item.cluster}/`).catch(() => ({ items: [] }));
    offered = [item, .../** @type {Sentence[]} */ (items).filter(({ id }) => id !== item?.id)];
  }
  form.reset();
  delete form.dataset.hasCode;
  const problem = part("problem");
  if (problem) problem.textContent = "";
  part("sentences")?.replaceChildren(...offered.map((one) => checkbox(one, about.includes(one))));
  dialog.showModal();
  field("name_zh").focus();
}

form?.addEventListener("input", (event) => {
  if (event.target === field("code")) form.dataset.hasCode = "yes";
  else if (event.target === field("name_en") && !form.dataset.hasCode) {
    field("code").value = codeOf(field("name_en").value);
  }
});

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const about = checked(part("sentences"));
  const [name_zh, name_en, code] = ["name_zh", "name_en", "code"].map((name) => field(name).value);
  const wrong = await send(
    urls.newIntentUrl,
    { items: about.map(({ id }) => id), name_zh, name_en, code },
    ({ decided, intent, draft }) =>
      filled(words.made, { intent: intent?.name ?? code, number: decided ?? 0 }) +
      (draft ? ` ${words.drafted}` : ""),
  );
  const problem = part("problem");
  if (problem) problem.textContent = wrong;
  if (wrong) return;
  dialog?.close();
  listClusters();
});

for (const button of root.querySelectorAll("[data-close]")) {
  button.addEventListener("click", () => button.closest("dialog")?.close());
}

function openOwnCluster() {
  if (item?.cluster && !openCluster(item.cluster)) openNew([item]);
}

// --- Keys --------------------------------------------------------------------------------------

const keysSwitch = /** @type {HTMLInputElement | null} */ (part("keys"));
if (keysSwitch) {
  keysSwitch.checked = localStorage.getItem(KEYS_OFF) === null;
  keysSwitch.addEventListener("change", () => {
    if (keysSwitch.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, "yes");
  });
}

/** @type {Record<string, () => unknown>} */
const keys = {
  m: () => item && act("move", [item]),
  n: () => item && act("new", [item]),
  o: () => putAway("out_of_scope"),
  x: () => putAway("ignore"),
  s: () => putAway("skip"),
  z: undo,
  c: openOwnCluster,
  "?": () => {
    const help = /** @type {HTMLDetailsElement | null} */ (part("help"));
    if (help) help.open = !help.open;
  },
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  const types = target.closest("input:not([type=checkbox]), textarea, select, dialog");
  if (types || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!keysSwitch?.checked || document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  const at = key === "a" ? 0 : "1234".indexOf(key);
  const does = at >= 0 ? () => item && pick(proposals(item)[at]?.code) : keys[key];
  if (!does) return;
  event.preventDefault();
  does();
}

/** @param {string | undefined} code */
const pick = (code) => code && label(code);

// --- Begin -------------------------------------------------------------------------------------

for (const button of root.querySelectorAll("[data-do]")) {
  const what = /** @type {HTMLElement} */ (button).dataset.do ?? "";
  button.addEventListener("click", () => (what === "undo" ? undo() : item && act(what, [item])));
}

/** Look how many are left; where nothing was, whether something has come. */
async function look() {
  if (document.hidden || isBusy) return;
  const answer = await ask(urls.stateUrl).catch(() => null);
  if (!answer) return;
  count(answer.left);
  if (mayDecide && !item && answer.left > 0) send(urls.nextUrl, {}, () => "");
}

if (mayDecide) {
  document.addEventListener("keydown", onKey);
  send(urls.nextUrl, {}, () => "");
}
onClusterButton(act);
listClusters();
setInterval(look, LOOK_EVERY_MS);
