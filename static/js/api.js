// @ts-check
/** Calls of the platform's REST interface, as whoever the tokens speak for. */

const REQUEST_MS = 15_000;
/** An upload of which nothing more has gone out for so long, or that is not answered, has failed. */
const STALLED_MS = 45_000;

/** The server understood and said no; `code` is stable, `detail` is for the reader. */
export class Refused extends Error {
  /**
   * @param {number} status
   * @param {string} code
   * @param {string} detail
   * @param {Record<string, string[]>} [fields] what is wrong with each field, where one is
   */
  constructor(status, code, detail, fields = {}) {
    super(detail);
    this.fields = fields;
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
   * @param {number} [ms] that it may take, with all of its content
   * @returns {Promise<Response>}
   * @throws {Refused} the server said no
   * @throws {Error} it could not be reached, or failed
   */
  async fetch(method, path, body, ms = REQUEST_MS) {
    let response = await this.#fetch(method, path, body, ms);
    if (response.status === 401) {
      this.#tokens.expire();
      response = await this.#fetch(method, path, body, ms);
    }
    if (response.ok) return response;
    if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
    const { code = "refused", detail = "", fields } = await response.json();
    throw new Refused(response.status, code, detail, fields);
  }

  /**
   * Upload a form with a file. It may take as long as bytes go out.
   *
   * @param {string} path
   * @param {FormData} form
   * @param {(share: number) => void} onProgress  0 to 1; 1: all is out, the server looks at it
   * @param {AbortSignal} signal
   * @returns {Promise<any>} the JSON of the answer
   * @throws {Refused} the server said no
   * @throws {Error} it could not be reached, or failed, or was stopped
   */
  async upload(path, form, onProgress, signal) {
    let answer = await this.#send(path, form, onProgress, signal);
    if (answer.status === 401) {
      this.#tokens.expire();
      answer = await this.#send(path, form, onProgress, signal);
    }
    if (answer.status >= 500 || !answer.status) throw new Error(`HTTP ${answer.status}`);
    const body = JSON.parse(answer.responseText);
    if (answer.status >= 400) throw new Refused(answer.status, body.code, body.detail, body.fields);
    return body;
  }

  /**
   * Not by fetch, which does not tell how much of a body has gone out.
   *
   * @param {string} path
   * @param {FormData} form
   * @param {(share: number) => void} onProgress
   * @param {AbortSignal} signal
   * @returns {Promise<XMLHttpRequest>} status 0: not reached, or stopped
   */
  async #send(path, form, onProgress, signal) {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("Authorization", `Bearer ${await this.#tokens.access()}`);
    request.setRequestHeader("Accept-Language", this.#language);
    let stalled = 0;
    const moved = () => {
      clearTimeout(stalled);
      stalled = window.setTimeout(() => request.abort(), STALLED_MS);
    };
    signal.addEventListener("abort", () => request.abort());
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      moved();
      onProgress(total ? loaded / total : 0);
    });
    return new Promise((resolve) => {
      request.addEventListener("loadend", () => {
        clearTimeout(stalled);
        resolve(request);
      });
      moved();
      if (signal.aborted) request.abort();
      request.send(form);
    });
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | FormData | undefined} body
   * @param {number} ms
   */
  async #fetch(method, path, body, ms) {
    const isForm = body instanceof FormData; // the browser names its type, with the boundary
    return fetch(path, {
      method,
      headers: {
        Authorization: `Bearer ${await this.#tokens.access()}`,
        "Accept-Language": this.#language,
        ...(isForm ? {} : { "Content-Type": "application/json" }),
      },
      body: isForm ? body : body && JSON.stringify(body),
      signal: AbortSignal.timeout(ms),
    });
  }
}
