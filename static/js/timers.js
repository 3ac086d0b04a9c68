// @ts-check
/** Timers by name: a new one replaces the one of the same name. */

export class Timers {
  #running = /** @type {Map<string, number>} */ (new Map());

  /**
   * @param {string} name
   * @param {number} ms
   * @param {() => void} work
   */
  after(name, ms, work) {
    this.clear(name);
    const timer = window.setTimeout(() => {
      this.#running.delete(name);
      work();
    }, ms);
    this.#running.set(name, timer);
  }

  /** @param {string} name */
  clear(name) {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  /** @param {string} name */
  has(name) {
    return this.#running.has(name);
  }
}
