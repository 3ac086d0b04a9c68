// @ts-check
/** The customer's REST calls: what carries the chat while the socket is down. */
import { Api } from "./api.js";

export class Rest extends Api {
  #language;

  /**
   * @param {{access: () => Promise<string>, expire: () => void}} tokens
   * @param {string} language for Accept-Language
   */
  constructor(tokens, language) {
    super(tokens, language);
    this.#language = language.startsWith("en") ? "en" : "zh";
  }

  /** @returns {Promise<any>} the fields of a welcome frame */
  conversation() {
    return this.call("GET", "/api/conversation");
  }

  /**
   * @param {string} conversation
   * @param {number} after
   * @returns {Promise<any>} the fields of a messages frame
   */
  messages(conversation, after) {
    const query = new URLSearchParams({ conversation, after: String(after) });
    return this.call("GET", `/api/conversation/messages?${query}`);
  }

  /**
   * @param {string} text
   * @param {string} client_id
   * @returns {Promise<any>}
   */
  post(text, client_id) {
    return this.call("POST", "/api/chat", { text, client_id, channel: "web", language: this.#language });
  }

  /** @returns {Promise<any>} the fields of a status frame */
  human() {
    return this.call("POST", "/api/conversation/human", {});
  }
}
