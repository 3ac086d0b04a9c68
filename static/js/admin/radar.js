// @ts-check
// Decides on one suspect after the other, by keyboard as well; each decision can be undone.

const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-radar]"));
const said = document.querySelector("[data-radar-said]");
const KEYS = /** @type {Record<string, string>} */ ({ m: "MOVED", k: "KEPT", d: "DELETED", u: "UNDO" });
/** @type {HTMLElement[]} */
const decided = []; // the last one is undone first

/** @param {string} text */
function say(text) {
  if (said) said.textContent = text;
}

/** @param {HTMLElement} item @param {number} step */
function neighbour(item, step) {
  const items = [...(list?.children ?? [])].filter((each) => !each.classList.contains("cs-decided"));
  const rest = step > 0
    ? items.filter((each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING)
    : items.filter((each) => item.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_PRECEDING);
  return /** @type {HTMLElement | undefined} */ (step > 0 ? rest[0] : rest.at(-1));
}

/** @param {HTMLElement} item @param {string} decision */
async function send(item, decision) {
  const form = /** @type {HTMLFormElement} */ (item.querySelector("form"));
  const body = new FormData(form);
  body.set("decision", decision);
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  if (!response.ok) {
    const answer = await response.json().catch(() => ({}));
    throw new Error(answer.detail || list?.dataset.failed);
  }
}

/** @param {HTMLElement} item @param {string} decision */
async function decide(item, decision) {
  if (item.classList.contains("cs-decided") || item.getAttribute("aria-busy")) return;
  if (!item.querySelector(`[value=${decision}]`)) return; // not for this colleague
  item.setAttribute("aria-busy", "true");
  const words = /** @type {DOMStringMap} */ (list?.dataset);
  try {
    await send(item, decision);
    const what = { MOVED: words.moved, KEPT: words.kept, DELETED: words.deleted }[decision] ?? "";
    const note = document.createElement("p");
    note.className = "cs-row cs-decision";
    const text = document.createElement("span");
    text.textContent = `${what}: ${item.getAttribute("aria-label")}`;
    const undo = document.createElement("button");
    undo.type = "button";
    undo.className = "cs-button cs-plain cs-small";
    undo.textContent = words.undo ?? "";
    undo.addEventListener("click", () => takeBack(item));
    note.append(text, undo);
    item.classList.add("cs-decided");
    item.prepend(note);
    decided.push(item);
    say(text.textContent);
    (neighbour(item, 1) ?? neighbour(item, -1) ?? item).focus();
  } catch (error) {
    say(error instanceof Error ? error.message : String(words.failed));
    complain(item, error instanceof Error ? error.message : String(words.failed));
  } finally {
    item.removeAttribute("aria-busy");
  }
}

/** @param {HTMLElement} item */
async function takeBack(item) {
  try {
    await send(item, "UNDO");
    item.classList.remove("cs-decided");
    item.querySelector(".cs-decision")?.remove();
    decided.splice(decided.indexOf(item), 1);
    say(list?.dataset.undone ?? "");
    item.focus();
  } catch (error) {
    complain(item, error instanceof Error ? error.message : String(list?.dataset.failed));
  }
}

/** @param {HTMLElement} item @param {string} text */
function complain(item, text) {
  item.querySelector(".cs-danger-text")?.remove();
  const note = document.createElement("p");
  note.className = "cs-danger-text";
  note.setAttribute("role", "alert");
  note.textContent = text;
  item.append(note);
}

if (list) {
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const { submitter } = /** @type {SubmitEvent} */ (event);
    const item = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest("[data-suspect]"));
    if (item && submitter instanceof HTMLButtonElement) decide(item, submitter.value);
  });
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, [contenteditable]")) return;
    const item = /** @type {HTMLElement | null} */ (target.closest("[data-suspect]"));
    const first = /** @type {HTMLElement | undefined} */ (list.querySelector("[data-suspect]:not(.cs-decided)") ?? undefined);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const next = item ? neighbour(item, event.key === "ArrowDown" ? 1 : -1) : first;
      if (!next) return;
      event.preventDefault();
      next.focus();
      return;
    }
    const decision = KEYS[event.key.toLowerCase()];
    if (decision === "UNDO") {
      const last = decided.at(-1);
      if (last) takeBack(last);
    } else if (decision && item) {
      event.preventDefault();
      decide(item, decision);
    }
  });
}
