// @ts-check
/**
 * The page's own words. They stand in `<template id="texts">`, translated by the server:
 * `<p data-key="sending">Sending…</p>`.
 *
 * @typedef {(key: string, values?: Record<string, string | number>) => string} Texts
 */

/**
 * @param {string} text with {name} where values go
 * @param {Record<string, string | number>} values
 * @returns {string} a name without a value stays as it is
 */
export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * @param {string} [id] of the template
 * @returns {Texts} a function that fails on an unknown key, so that a missing text is found at once
 */
export function readTexts(id = "texts") {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  /** @type {Map<string, string>} */
  const texts = new Map();
  for (const line of template.content.querySelectorAll("[data-key]")) {
    texts.set(/** @type {HTMLElement} */ (line).dataset.key ?? "", line.textContent ?? "");
  }
  return (key, values = {}) => {
    const text = texts.get(key);
    if (text === undefined) throw new Error(`The page has no text "${key}"`);
    return filled(text, values);
  };
}
