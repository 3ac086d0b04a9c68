// @ts-check
/**
 * Messages that the server has not acknowledged, kept over a reload: what somebody wrote must not
 * vanish because the page did. Sending one again is safe, its `client_id` makes it the same one.
 *
 * Each message is an item of its own in localStorage, by `client_id`: tabs beside this one keep
 * theirs there, too, and none of them overwrites another's.
 *
 * @typedef {{client_id: string, text: string, sent_at: string, conversation?: string}} Unsent
 *   conversation: where there are several to choose from
 */

const PREFIX = "customer-service.outbox.";
/** Older ones are dropped: by then the question has been asked in another way. */
const KEEP_MS = 3600_000;

/** @returns {string} a UUID; `crypto.randomUUID` is missing where the page came without TLS */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4 (RFC 9562)
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export class Outbox {
  #who;
  #storage;
  #mine = /** @type {Set<string>} */ (new Set()); // written or taken up by this tab

  /**
   * @param {string} who the uid, "" for a visitor: nobody sends what somebody else wrote
   * @param {() => Storage} [storage] a function, because reading the property may be forbidden
   */
  constructor(who, storage = () => localStorage) {
    this.#who = who;
    this.#storage = storage;
  }

  get who() {
    return this.#who;
  }

  /**
   * Take up what was written before, here or in another tab.
   *
   * @param {Date} now
   * @returns {Unsent[]} in the order of writing
   */
  restore(now) {
    /** @type {Unsent[]} */
    const found = [];
    try {
      const storage = this.#storage();
      for (const key of Object.keys(storage).filter((one) => one.startsWith(PREFIX))) {
        const saved = parsed(storage.getItem(key));
        const isFresh = now.getTime() - Date.parse(saved?.message?.sent_at) < KEEP_MS;
        if (!isFresh) storage.removeItem(key);
        else if (saved.who === this.#who) found.push(saved.message);
      }
    } catch {
      // Storage is forbidden: there is nothing.
    }
    for (const one of found) this.#mine.add(one.client_id);
    return found.sort((one, other) => Date.parse(one.sent_at) - Date.parse(other.sent_at));
  }

  /**
   * Keep these, and let go of those that this tab kept before: they have arrived, or are not
   * wanted any more.
   *
   * @param {readonly Unsent[]} unsent all that this tab has
   */
  save(unsent) {
    const wanted = new Set(unsent.map((one) => one.client_id));
    try {
      const storage = this.#storage();
      for (const { client_id, text, sent_at, conversation } of unsent) {
        if (this.#mine.has(client_id)) continue;
        const message = { client_id, text, sent_at, conversation };
        storage.setItem(PREFIX + client_id, JSON.stringify({ who: this.#who, message }));
        this.#mine.add(client_id);
      }
      for (const id of this.#mine) {
        if (wanted.has(id)) continue;
        storage.removeItem(PREFIX + id);
        this.#mine.delete(id);
      }
    } catch {
      // Storage is forbidden or full: they live as long as the page.
    }
  }
}

/** @param {string | null} json @returns {any} null where it is none */
function parsed(json) {
  try {
    return JSON.parse(json ?? "null");
  } catch {
    return null;
  }
}
