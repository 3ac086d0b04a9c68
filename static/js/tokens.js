// @ts-check
/**
 * Who this browser is, and the access token that proves it.
 *
 * The refresh token stays in localStorage for its 30 days, so that a visitor who comes back finds
 * his conversation; the access token is kept in memory only.
 *
 * @typedef {{refresh: string, uid: string, name: string}} Kept  uid "" for a visitor
 * @typedef {object} Customer signed by the shop's server
 * @property {string} uid
 * @property {string} signature
 * @property {string} [expires] of the signature, Unix time in seconds; "" or none: it does not
 * @property {string} name
 * @typedef {{token: string, refresh?: string, expires_in: number}} Issued
 */
import { SignInRefused } from "./connection.js";

const KEY = "customer-service.sign-in";
/** A token this close to its end is renewed before it is used. */
const SPARE_MS = 60_000;
const REQUEST_MS = 10_000;

/**
 * What to send to POST /api/login.
 *
 * @param {Customer | null} customer whom the page speaks for
 * @param {Kept | null} kept who this browser was
 * @returns {Record<string, string>} a visitor who signs in takes his conversations along
 */
export function loginBody(customer, kept) {
  if (!customer) return {};
  const { uid, signature, expires } = customer;
  const signed = expires ? { uid, signature, expires } : { uid, signature };
  return kept && kept.uid === "" ? { ...signed, visitor: kept.refresh } : signed;
}

/**
 * @param {Customer | null} customer
 * @param {Kept | null} kept
 * @returns {boolean} true: the kept refresh token is of whom the page speaks for
 */
export function isSamePerson(customer, kept) {
  return kept !== null && (customer === null || customer.uid === kept.uid);
}

/**
 * @param {Kept | null} own what this page signed in with
 * @param {Kept | null} shared what the last tab that signed in left
 * @returns {Kept | null} the one to go on with: the shared one only if it is the same person's
 */
export function latest(own, shared) {
  return own && own.uid !== shared?.uid ? own : shared;
}

/** Of a customer or a visitor. */
export class CustomerTokens {
  #customer;
  #language;
  #kept;
  #token = "";
  #expiresAt = -Infinity; // on the page's own clock: the computer's may be set while it runs
  #pending = /** @type {Promise<string> | null} */ (null);

  /**
   * @param {Customer | null} customer null: whoever this browser is already
   * @param {string} language for Accept-Language
   */
  constructor(customer, language) {
    this.#customer = customer;
    this.#language = language;
    this.#kept = kept();
    if (customer) return; // the shop says who it is; another tab may speak for somebody else
    addEventListener("storage", (event) => {
      // Another tab signed in as somebody else: this one must not speak for two people.
      if (event.key === KEY && kept()?.uid !== this.#kept?.uid) location.reload();
    });
  }

  /** The customer's uid, "" for a visitor. */
  get uid() {
    return this.#customer?.uid ?? this.#kept?.uid ?? "";
  }

  /** The customer's name, "" for a visitor. */
  get name() {
    return this.#customer?.name ?? this.#kept?.name ?? "";
  }

  /** When to renew, in milliseconds from now. */
  get renewInMs() {
    return Math.max(0, this.#expiresAt - performance.now() - SPARE_MS);
  }

  /** The server no longer takes it. */
  expire() {
    this.#expiresAt = -Infinity;
  }

  /**
   * @returns {Promise<string>} an access token with at least a minute to live
   * @throws {SignInRefused} the signature is wrong, or this person may not come in
   * @throws {Error} the server cannot be reached
   */
  access() {
    if (performance.now() < this.#expiresAt - SPARE_MS) return Promise.resolve(this.#token);
    // One request for all who ask meanwhile; one tab at a time, or two tabs become two visitors.
    this.#pending ??= alone(() => this.#signIn()).finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  async #signIn() {
    const shared = kept();
    const before = latest(this.#kept, shared);
    let issued = before && isSamePerson(this.#customer, before) ? await this.#renewed(before) : null;
    const { uid = "", name = "" } = (issued ? before : this.#customer) ?? {};
    issued ??= await post("/api/login", loginBody(this.#customer, before), this.#language);
    this.#kept = { refresh: issued.refresh ?? "", uid, name };
    // Renewing is not signing in: who the next page speaks for stays with the tab that signed in last.
    if (!this.#token || before === shared) keep(this.#kept);
    this.#token = issued.token;
    this.#expiresAt = performance.now() + issued.expires_in * 1000;
    return this.#token;
  }

  /** @param {Kept} before @returns {Promise<Issued | null>} null: after 30 days, sign in anew */
  async #renewed(before) {
    try {
      return await post("/api/login/refresh", { refresh: before.refresh }, this.#language);
    } catch (error) {
      if (error instanceof SignInRefused) return null;
      throw error;
    }
  }
}

/** Of an agent: the session of the page is what lasts, so there is nothing to keep. */
export class WorkspaceTokens {
  #csrf;
  #token = "";
  #expiresAt = -Infinity; // on the page's own clock

  /** @param {string} csrf */
  constructor(csrf) {
    this.#csrf = csrf;
  }

  get renewInMs() {
    return Math.max(0, this.#expiresAt - performance.now() - SPARE_MS);
  }

  expire() {
    this.#expiresAt = -Infinity;
  }

  /** @returns {Promise<string>} @throws {SignInRefused} the session has ended */
  async access() {
    if (performance.now() < this.#expiresAt - SPARE_MS) return this.#token;
    const response = await fetch("/workspace/token", {
      method: "POST",
      headers: { "X-CSRFToken": this.#csrf },
      redirect: "manual", // to the login page: the session has ended
      signal: AbortSignal.timeout(REQUEST_MS),
    });
    if (response.type === "opaqueredirect" || [401, 403].includes(response.status)) {
      throw new SignInRefused();
    }
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const issued = await response.json();
    this.#token = issued.token;
    this.#expiresAt = performance.now() + issued.expires_in * 1000;
    return this.#token;
  }
}

/** Forget who this browser was; the next page opens as a new visitor. */
export function signOut() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Nothing is kept where storage is forbidden.
  }
}

/** @returns {Kept | null} */
export function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "null");
  } catch {
    return null; // storage is forbidden, or what it holds is not ours
  }
}

/** @param {Kept} value */
function keep(value) {
  try {
    localStorage.setItem(KEY, JSON.stringify(value));
  } catch {
    // Storage is forbidden: this page works, the next one starts anew.
  }
}

/**
 * @param {() => Promise<string>} work
 * @returns {Promise<string>}
 */
async function alone(work) {
  // Absent where the page came without TLS from another machine.
  if (!navigator.locks) return work();
  let hasBegun = false;
  const begin = () => {
    hasBegun = true;
    return work();
  };
  try {
    return await navigator.locks.request(KEY, begin);
  } catch (error) {
    if (hasBegun) throw error;
    return work(); // in a frame whose storage is forbidden, locks are, too
  }
}

/**
 * @param {string} path
 * @param {object} body
 * @param {string} language
 * @returns {Promise<Issued>}
 */
async function post(path, body, language) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": language },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  });
  if ([400, 401, 403].includes(response.status)) throw new SignInRefused();
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}
