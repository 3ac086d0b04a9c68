// @ts-check
/**
 * Have every message acknowledged, once: over the socket, else over REST, again and again. It may
 * be sent as often as it takes, because its `client_id` makes it the same message.
 *
 * @typedef {{client_id: string, text: string, conversation?: string}} Outgoing
 * @typedef {{
 *   send: (frame: object) => boolean,
 *   post?: (text: string, clientId: string) => Promise<unknown>,
 *   isPending: (clientId: string) => boolean,
 *   onFailed: (message: Outgoing) => void,
 *   onRefused?: (message: Outgoing, detail: string) => void,
 * }} Ways  post: over REST, where there is such a way
 */
import { backoffMs } from "./connection.js";
import { Refused } from "./rest.js";
import { Timers } from "./timers.js";

/** No acknowledgement within this time: try the other way. */
const ACKNOWLEDGE_MS = 8_000;
/** A socket that is coming (back) gets this long before REST takes over. */
const SOCKET_FIRST_MS = 2_500;
/** The first automatic repetition comes after 2 to 4 s (see backoffMs), the next ones later. */
const FIRST_REPETITION = 3;

export class Delivery {
  #ways;
  #timers = new Timers();
  #failures = /** @type {Map<string, number>} */ (new Map());

  /** @param {Ways} ways */
  constructor(ways) {
    this.#ways = ways;
  }

  /** @param {Outgoing} message */
  deliver(message) {
    const { client_id, text, conversation } = message;
    const frame = conversation ? { conversation, client_id, text } : { client_id, text };
    const sent = this.#ways.send({ type: "message", ...frame });
    const wait = sent ? ACKNOWLEDGE_MS : SOCKET_FIRST_MS;
    this.#timers.after(client_id, wait, () => void this.#otherwise(message));
  }

  /** It has arrived, or was refused: leave it alone. @param {string} clientId */
  settled(clientId) {
    this.#timers.clear(clientId);
    this.#failures.delete(clientId);
  }

  /** The server could not take it now: again, a little later each time. @param {Outgoing} message */
  repeat(message) {
    const { client_id } = message;
    const failures = this.#failures.get(client_id) ?? 0;
    this.#failures.set(client_id, failures + 1);
    this.#timers.after(client_id, backoffMs(failures + FIRST_REPETITION, Math.random()), () => {
      if (this.#ways.isPending(client_id)) this.deliver(message);
    });
  }

  /** @param {Outgoing} message */
  async #otherwise(message) {
    const { client_id, text } = message;
    if (!this.#ways.isPending(client_id)) return;
    try {
      if (!this.#ways.post) throw new Error("There is no other way");
      await this.#ways.post(text, client_id);
    } catch (error) {
      if (!this.#ways.isPending(client_id)) return; // the socket was quicker
      if (error instanceof Refused && !error.isPassing) {
        this.settled(client_id);
        this.#ways.onRefused?.(message, error.detail);
        return;
      }
      this.#ways.onFailed(message);
      this.repeat(message);
    }
  }
}
