// @ts-check
/**
 * Where the outbox keeps messages: IndexedDB; where that is forbidden (private windows of some
 * browsers) the page's own memory. No operation fails: at worst a message lives as long as the page.
 *
 * @typedef {import("./outbox.js").Kept} Kept
 * @typedef {{all: () => Promise<Kept[]>, put: (one: Kept) => Promise<void>,
 *   remove: (clientId: string) => Promise<void>}} Store
 */

const DATABASE = "customer-service";
const TABLE = "outbox";

/** @returns {Store} */
export function openStore() {
  const opened = open().catch(() => null);
  const memory = inMemory();
  let database = /** @type {IDBDatabase | null | undefined} */ (undefined); // undefined: not open yet
  void opened.then((found) => (database = found));

  /**
   * @template Result
   * @param {(store: Store) => Promise<Result>} work
   * @returns {Promise<Result>}
   */
  const use = async (work) => {
    // Not a turn later than need be: the page may be gone by then.
    const found = database === undefined ? await opened : database;
    if (!found) return work(memory);
    try {
      return await work(inDatabase(found));
    } catch {
      return work(memory); // full, or closed by the browser
    }
  };
  return {
    all: () => use((store) => store.all()),
    put: (one) => use((store) => store.put(one)),
    remove: (clientId) => use((store) => store.remove(clientId)),
  };
}

/** @returns {Store} */
export function inMemory() {
  /** @type {Map<string, Kept>} */
  const kept = new Map();
  return {
    all: () => Promise.resolve([...kept.values()]),
    put: (one) => Promise.resolve(void kept.set(one.client_id, one)),
    remove: (clientId) => Promise.resolve(void kept.delete(clientId)),
  };
}

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(TABLE, { keyPath: "client_id" });
    asked.onsuccess = () => {
      // A newer page wants to change the tables: let it.
      asked.result.onversionchange = () => asked.result.close();
      resolve(asked.result);
    };
    asked.onerror = asked.onblocked = () => reject(asked.error);
  });
}

/** @param {IDBDatabase} database @returns {Store} */
function inDatabase(database) {
  /**
   * @template Result
   * @param {IDBTransactionMode} mode
   * @param {(table: IDBObjectStore) => IDBRequest<Result>} ask
   * @returns {Promise<Result>}
   */
  const done = (mode, ask) =>
    new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, mode);
      const asked = ask(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(asked.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
      // Without waiting for the answer: a page that is reloaded this very moment has written it.
      if (mode === "readwrite") transaction.commit?.();
    });
  return {
    all: () => done("readonly", (table) => table.getAll()),
    put: async (one) => void (await done("readwrite", (table) => table.put(one))),
    remove: async (clientId) => void (await done("readwrite", (table) => table.delete(clientId))),
  };
}
