// @ts-check
/**
 * What somebody is writing, kept over a reload and a switch of language, for this tab alone:
 * it goes with the tab.
 */

const PREFIX = "customer-service.draft.";

export class Drafts {
  #who;
  #storage;

  /**
   * @param {string} who writes: the next one at this screen does not find it in the field
   * @param {() => Storage} [storage] a function, because reading the property may be forbidden
   */
  constructor(who, storage = () => sessionStorage) {
    this.#who = who;
    this.#storage = storage;
  }

  /** @param {string} [conversation] @returns {string} "" where there is none */
  of(conversation = "") {
    try {
      return this.#storage().getItem(this.#key(conversation)) ?? "";
    } catch {
      return ""; // storage is forbidden
    }
  }

  /** @param {string} text "" lets go of it @param {string} [conversation] */
  keep(text, conversation = "") {
    try {
      if (text) this.#storage().setItem(this.#key(conversation), text);
      else this.#storage().removeItem(this.#key(conversation));
    } catch {
      // Storage is forbidden or full: it lives as long as the field.
    }
  }

  /** @param {string} conversation */
  #key(conversation) {
    return `${PREFIX}${this.#who}.${conversation}`;
  }
}
