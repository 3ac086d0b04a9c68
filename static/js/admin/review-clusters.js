// @ts-check
// The clusters of the review inbox: sentences that mean much the same, to decide about together.

import { ask, element, filled, mayDecide, part, percent, urls, words } from "./review-parts.js";

/**
 * @typedef {import("./review-parts.js").Sentence} Sentence
 * @typedef {{id: number, sentences: number, messages: number, handed_over: number,
 *   typical: string[]}} Cluster
 */

/** What a button of a cluster does. @type {(what: string, about: Sentence[]) => void} */
let act = () => {};

/** @param {typeof act} does told of a button and the chosen sentences */
export function onClusterButton(does) {
  act = does;
}

/** @param {Sentence} sentence @param {boolean} isChecked */
export function checkbox(sentence, isChecked) {
  const row = element("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = isChecked;
  box.value = String(sentence.id);
  row.append(box, element("span", "", sentence.text));
  if (sentence.messages) row.append(element("small", "", `×${sentence.messages}`));
  return row;
}

/** @param {Element | null} within @returns {Sentence[]} */
export const checked = (within) =>
  [.../** @type {NodeListOf<HTMLInputElement>} */ (within?.querySelectorAll("label > input:checked[value]") ?? [])].map(
    (box) => ({ id: Number(box.value), text: box.nextElementSibling?.textContent ?? "" }),
  );

export async function listClusters() {
  const place = part("clusters");
  const template = /** @type {HTMLTemplateElement | null} */ (part("cluster-template"));
  if (!place || !template) return;
  const answer = await ask(urls.clustersUrl).catch(() => null);
  if (!answer) return;
  const open = new Set(
    [...place.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-id")),
  );
  place.replaceChildren(
    .../** @type {Cluster[]} */ (answer.clusters).map((one) => clusterRow(one, template, open.has(String(one.id)))),
  );
  const none = part("no-clusters");
  if (none) none.hidden = answer.clusters.length > 0;
}

/** @param {Cluster} one @param {HTMLTemplateElement} template @param {boolean} isOpen */
function clusterRow(one, template, isOpen) {
  const row = /** @type {HTMLDetailsElement} */ (template.content.firstElementChild?.cloneNode(true));
  row.dataset.id = String(one.id);
  const typical = row.querySelector("[data-typical]");
  if (typical) typical.textContent = one.typical.join(" · ");
  const figures = row.querySelector("[data-figures]");
  if (figures) {
    figures.textContent = [
      filled(words.sentences, { number: one.sentences }),
      one.messages === 1 ? words.message : filled(words.messages, { number: one.messages }),
      filled(words.rate, { share: percent(one.handed_over) }),
    ].join(" · ");
  }
  row.addEventListener("toggle", () => row.open && fill(row, one.id));
  const members = row.querySelector("[data-members]");
  row.querySelector("[data-all]")?.addEventListener("change", (event) => {
    for (const box of members?.querySelectorAll("input") ?? []) {
      box.checked = /** @type {HTMLInputElement} */ (event.target).checked;
    }
  });
  for (const button of row.querySelectorAll("[data-cluster-do]")) {
    const what = /** @type {HTMLElement} */ (button).dataset.clusterDo ?? "";
    button.addEventListener("click", () => act(what, checked(members)));
  }
  row.open = isOpen;
  return row;
}

/** @param {HTMLDetailsElement} row @param {number} id */
async function fill(row, id) {
  const answer = await ask(`${urls.clustersUrl}${id}/`).catch(() => ({ items: [] }));
  row.querySelector("[data-members]")?.replaceChildren(
    .../** @type {Sentence[]} */ (answer.items).map((one) => {
      const line = element("li");
      if (mayDecide) line.append(checkbox(one, true));
      else line.textContent = one.text;
      return line;
    }),
  );
}

/** @param {number} id @returns {boolean} whether it is on the page */
export function openCluster(id) {
  const row = /** @type {HTMLDetailsElement | null} */ (
    part("clusters")?.querySelector(`[data-id="${id}"]`) ?? null
  );
  if (!row) return false;
  row.open = true;
  row.scrollIntoView({ block: "start" });
  row.querySelector("summary")?.focus();
  return true;
}
