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
   * @param {string[]} attachments
   * @returns {Promise<any>}
   */
  post(text, client_id, attachments) {
    const language = this.#language;
    return this.call("POST", "/api/chat", { text, client_id, attachments, channel: "web", language });
  }

  /** @returns {Promise<any>} the fields of a status frame */
  human() {
    return this.call("POST", "/api/conversation/human", {});
  }

  /**
   * @param {import("./seen.js").Seen | null} seen what this browser has shown last
   * @returns {Promise<{conversation: string | null, status: string, unread: number, awaits_answer: boolean}>}
   */
  unread(seen) {
    const query = seen ? `?${new URLSearchParams({ ...seen, seq: String(seen.seq) })}` : "";
    return this.call("GET", `/api/conversation/unread${query}`);
  }

  /** @param {string} conversation @param {number} seq @returns {Promise<any>} of a status frame */
  read(conversation, seq) {
    return this.call("POST", "/api/conversation/read", { conversation, seq });
  }

  /** @param {string} conversation @returns {Promise<any>} of a status frame */
  end(conversation) {
    return this.call("POST", "/api/conversation/end", { conversation });
  }

  /**
   * @param {string} conversation
   * @param {number} score 1 to 5
   * @param {string} comment
   * @returns {Promise<any>} of a status frame
   */
  rate(conversation, score, comment) {
    return this.call("POST", "/api/conversation/rating", { conversation, score, comment });
  }

  /** Do not ask again. @param {string} conversation @returns {Promise<any>} of a status frame */
  putRatingAway(conversation) {
    return this.call("DELETE", `/api/conversation/rating?${new URLSearchParams({ conversation })}`);
  }

  /** @param {{conversation: string, seq: number, feedback: "UP" | "DOWN", reason: string}} said */
  feedback(said) {
    return this.call("POST", "/api/conversation/feedback", said);
  }

  /**
   * @param {string} conversation
   * @param {string} format txt or html
   * @returns {Promise<{name: string, blob: Blob}>}
   */
  async transcript(conversation, format) {
    const query = new URLSearchParams({ conversation, format });
    const response = await this.fetch("GET", `/api/conversation/transcript?${query}`);
    const [, name = `conversation.${format}`] =
      /filename="([^"]+)"/.exec(response.headers.get("Content-Disposition") ?? "") ?? [];
    return { name, blob: await response.blob() };
  }

  /** @param {string} conversation @param {string} email */
  mailTranscript(conversation, email) {
    return this.call("POST", "/api/conversation/transcript", { conversation, email });
  }

  /** @param {string} conversation @returns {Promise<{email: string}>} "" for none */
  address(conversation) {
    return this.call("GET", `/api/conversation/address?${new URLSearchParams({ conversation })}`);
  }

  /** @param {string} conversation @param {string} email "" takes it back */
  leaveAddress(conversation, email) {
    return this.call("PUT", "/api/conversation/address", { conversation, email });
  }
}
