// @ts-check
/** Calls of the platform's REST interface, as whoever the tokens speak for. */

const REQUEST_MS = 15_000;

/** The server understood and said no; `code` is stable, `detail` is for the reader. */
export class Refused extends Error {
  /** @param {number} status @param {string} code @param {string} detail */
  constructor(status, code, detail) {
    super(detail);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }

  /** Whether the same call may succeed a little later. */
  get isPassing() {
    return this.status === 401 || this.status === 429;
  }
}

export class Api {
  #tokens;
  #language;

  /**
   * @param {{access: () => Promise<string>, expire: () => void}} tokens
   * @param {string} language for Accept-Language
   */
  constructor(tokens, language) {
    this.#tokens = tokens;
    this.#language = language;
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | FormData} [body] an object is sent as JSON
   * @returns {Promise<any>} the JSON of the answer, null where it has none
   * @throws {Refused} the server said no
   * @throws {Error} it could not be reached, or failed
   */
  async call(method, path, body) {
    const response = await this.fetch(method, path, body);
    return response.status === 204 ? null : response.json();
  }

  /**
   * The answer itself, for what is not JSON.
   *
   * @param {string} method
   * @param {string} path
   * @param {object | FormData} [body]
   * @returns {Promise<Response>}
   * @throws {Refused} the server said no
   * @throws {Error} it could not be reached, or failed
   */
  async fetch(method, path, body) {
    let response = await this.#fetch(method, path, body);
    if (response.status === 401) {
      this.#tokens.expire();
      response = await this.#fetch(method, path, body);
    }
    if (response.ok) return response;
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    const { code = "refused", detail = "" } = await response.json();
    throw new Refused(response.status, code, detail);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | FormData} [body]
   */
  async #fetch(method, path, body) {
    const isForm = body instanceof FormData; // the browser names its type, with the boundary
    return fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${await this.#tokens.access()}`,
        "Accept-Language": this.#language,
        ...(isForm ? {} : { "Content-Type": "application/json" }),
      },
      body: isForm ? body : body && JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
  }
}
