// @ts-check
/** The customer's REST calls: what carries the chat while the socket is down. */

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

export class Rest {
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

  /** @returns {Promise<any>} the fields of a welcome frame */
  conversation() {
    return this.#call("GET", "/api/conversation");
  }

  /**
   * @param {string} conversation
   * @param {number} after
   * @returns {Promise<any>} the fields of a messages frame
   */
  messages(conversation, after) {
    const query = new URLSearchParams({ conversation, after: String(after) });
    return this.#call("GET", `/api/conversation/messages?${query}`);
  }

  /**
   * @param {string} text
   * @param {string} client_id
   * @returns {Promise<any>}
   */
  post(text, client_id) {
    const language = this.#language.startsWith("en") ? "en" : "zh";
    return this.#call("POST", "/api/chat", { text, client_id, channel: "web", language });
  }

  /** @returns {Promise<any>} the fields of a status frame */
  human() {
    return this.#call("POST", "/api/conversation/human", {});
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>}
   * @throws {Refused} the server said no
   * @throws {Error} it could not be reached, or failed
   */
  async #call(method, path, body) {
    let response = await this.#fetch(method, path, body);
    if (response.status === 401) {
      this.#tokens.expire();
      response = await this.#fetch(method, path, body);
    }
    if (response.ok) return response.json();
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    const { code = "refused", detail = "" } = await response.json();
    throw new Refused(response.status, code, detail);
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   */
  async #fetch(method, path, body) {
    return fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${await this.#tokens.access()}`,
        "Accept-Language": this.#language,
        "Content-Type": "application/json",
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(REQUEST_MS),
    });
  }
}
