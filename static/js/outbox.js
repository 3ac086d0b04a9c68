// @ts-check
/**
 * Messages that the server has not acknowledged, kept over a reload: what somebody wrote must not
 * vanish because the page did. Sending one again is safe, its `client_id` makes it the same one.
 *
 * They lie in IndexedDB, common to all tabs. Each belongs to the tab that sends it; a tab proves
 * that it lives by holding a lock of its own, and what a tab left that has gone is taken up by
 * another one. So each message has one sender at a time, and none waits for a tab that sleeps.
 *
 * @typedef {{client_id: string, text: string, sent_at: string, conversation?: string,
 *   attachments?: readonly import("./uploads.js").Attachment[]}} Unsent
 *   conversation: where there are several to choose from
 * @typedef {Unsent & {who: string, tab: string, order: number}} Kept
 *   order: of writing, milliseconds; never smaller than an earlier one's, whatever the clock says
 */
import { openStore } from "./outbox-store.js";

const TAB = "customer-service.tab.";
const TAKING_UP = "customer-service.outbox";
/** Older ones are dropped. Days, because a clock that jumps by hours must not lose a message. */
const KEEP_MS = 7 * 24 * 3600_000;

/** @returns {string} a UUID; `crypto.randomUUID` is missing where the page came without TLS */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40; // version 4 (RFC 9562)
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/**
 * What a tab takes up, and what nobody wants any more.
 *
 * @param {readonly Kept[]} kept by anybody
 * @param {string} who
 * @param {(tab: string) => boolean} lives whether a tab still does; this one included
 * @param {Date} now
 * @returns {{orphans: Kept[], old: Kept[]}} orphans: in the order of writing
 */
export function sorted(kept, who, lives, now) {
  // NaN, where it is none of ours, counts as old.
  const isOld = (/** @type {Kept} */ one) => !(now.getTime() - Date.parse(one.sent_at) < KEEP_MS);
  const orphans = kept.filter((one) => !isOld(one) && one.who === who && !lives(one.tab));
  return { orphans: orphans.sort((one, other) => one.order - other.order), old: kept.filter(isOld) };
}

export class Outbox {
  #who;
  #store;
  #locks;
  #tab = newId();
  #mine = /** @type {Set<string>} */ (new Set()); // written or taken up by this tab
  #order = 0;
  #watched = /** @type {Set<string>} */ (new Set()); // tabs beside this one

  /**
   * @param {string} who the uid, "" for a visitor: nobody sends what somebody else wrote
   * @param {import("./outbox-store.js").Store} [store]
   * @param {LockManager | undefined} [locks] absent where the page came without TLS from another
   *   machine; then each tab takes up everything, and the server tells repeats apart
   */
  constructor(who, store = openStore(), locks = globalThis.navigator?.locks) {
    this.#who = who;
    this.#store = store;
    this.#locks = locks;
    // Held until the tab is gone, however it goes.
    locks?.request(TAB + this.#tab, () => new Promise(() => {})).catch(() => {});
  }

  get who() {
    return this.#who;
  }

  /**
   * Take up what was written before, here or in a tab that has gone; and as soon as a tab beside
   * this one is closed with something unsent, that.
   *
   * @param {Date} now
   * @param {(found: Unsent[]) => void} show is given what this tab does not have yet, in the order
   *   of writing; from then on `save` must be told of it
   */
  async restore(now, show) {
    if (!this.#locks) {
      await this.#takeUp(now, () => false, show);
      return;
    }
    let hasBegun = false;
    const takingUp = this.#locks.request(TAKING_UP, async () => {
      hasBegun = true;
      const held = (await this.#locks?.query())?.held ?? [];
      const living = new Set(held.map((lock) => lock.name));
      await this.#takeUp(now, (tab) => living.has(TAB + tab), show);
    });
    await takingUp.catch((error) => {
      if (hasBegun) throw error;
      // In a frame whose storage is forbidden, locks are, too: there is nobody to share with.
      this.#locks = undefined;
      return this.restore(now, show);
    });
  }

  /**
   * @param {Date} now
   * @param {(tab: string) => boolean} lives
   * @param {(found: Unsent[]) => void} show
   */
  async #takeUp(now, lives, show) {
    const kept = await this.#store.all();
    const { orphans, old } = sorted(kept, this.#who, lives, now);
    for (const one of old) void this.#store.remove(one.client_id);
    const fresh = orphans.filter((one) => !this.#mine.has(one.client_id));
    for (const one of fresh) {
      this.#order = Math.max(this.#order, one.order);
      this.#mine.add(one.client_id);
    }
    const taken = fresh.map((one) => this.#store.put({ ...one, tab: this.#tab }));
    if (fresh.length) {
      show(
        fresh.map(({ client_id, text, sent_at, conversation, attachments = [] }) => ({
          ...{ client_id, text, sent_at, attachments },
          ...(conversation && { conversation }),
        })),
      );
    }
    await Promise.all(taken); // only then may the next tab look
    for (const { who, tab } of kept) {
      if (who === this.#who && lives(tab)) this.#watch(tab, show);
    }
  }

  /**
   * Wait for a tab to go, which lets go of its lock.
   *
   * @param {string} tab
   * @param {(found: Unsent[]) => void} show
   */
  #watch(tab, show) {
    if (tab === this.#tab || this.#watched.has(tab)) return;
    this.#watched.add(tab);
    void this.#locks
      ?.request(TAB + tab, async () => {})
      .then(() => {
        this.#watched.delete(tab);
        return this.restore(new Date(), show);
      })
      .catch(() => {});
  }

  /**
   * Keep these, and let go of those that this tab kept before: they have arrived, or are not
   * wanted any more.
   *
   * @param {readonly Unsent[]} unsent all that this tab has
   */
  save(unsent) {
    const wanted = new Set(unsent.map((one) => one.client_id));
    for (const { client_id, text, sent_at, conversation, attachments = [] } of unsent) {
      if (this.#mine.has(client_id)) continue;
      this.#order = Math.max(this.#order + 1, Date.now());
      this.#mine.add(client_id);
      const [who, tab, order] = [this.#who, this.#tab, this.#order];
      void this.#store.put({ client_id, text, sent_at, conversation, attachments, who, tab, order });
    }
    for (const id of this.#mine) {
      if (wanted.has(id)) continue;
      void this.#store.remove(id);
      this.#mine.delete(id);
    }
  }
}
