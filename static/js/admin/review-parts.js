// @ts-check
// What the parts of the review inbox share: the page's elements and texts, and how the server is asked.

/**
 * @typedef {import("./intent-search.js").Intent} Intent
 * @typedef {{id: number, text: string, messages?: number}} Sentence
 */

export const root = /** @type {HTMLElement} */ (document.querySelector("[data-review]"));
export const urls = root.dataset;
export const words = /** @type {HTMLElement} */ (document.getElementById("ri-texts")).dataset;
export const mayDecide = "mayDecide" in urls;

/** @param {string} name @returns {HTMLElement | null} */
export const part = (name) => root.querySelector(`[data-${name}]`);

/** @param {string | undefined} text @param {Record<string, string | number>} values */
export const filled = (text, values = {}) =>
  (text ?? "").replace(/\{(\w+)\}/g, (_whole, name) => String(values[name] ?? ""));

/** @param {number} share */
export const percent = (share) => `${Math.round(100 * share)} %`;

/**
 * @param {string} tag
 * @param {string} [className]
 * @param {string} [text]
 */
export function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

/** @param {string} text */
export function say(text, isWrong = false) {
  const status = part("status");
  if (!status) return;
  status.textContent = text;
  status.classList.toggle("is-wrong", isWrong);
}

/** What the server refuses, in its words. */
class Refused extends Error {}

/** @param {string | undefined} url @param {object} [body] posted; read where there is none */
export async function ask(url, body) {
  const csrf = /** @type {HTMLInputElement} */ (root.querySelector("[name=csrfmiddlewaretoken]"));
  const options = body && {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrf.value },
  };
  let answer;
  try {
    const response = await fetch(url ?? "", { credentials: "same-origin", ...options });
    answer = await response.json();
    if (!response.ok) throw new Refused(answer.detail);
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(words.failed);
  }
  return answer;
}
