// @ts-check
/**
 * Have every message acknowledged, once and in the order of writing: over the socket, else over
 * REST, again and again. It may be sent as often as it takes, because its `client_id` makes it the
 * same message. The next one of a conversation is sent when the one before is settled: a message
 * that has to take the long way is not overtaken by a later one.
 *
 * @typedef {{client_id: string, text: string, conversation?: string,
 *   attachments?: readonly {id: string}[]}} Outgoing
 * @typedef {{
 *   send: (frame: object) => boolean,
 *   post?: (text: string, clientId: string, attachments: string[]) => Promise<unknown>,
 *   isPending: (clientId: string) => boolean,
 *   onFailed: (message: Outgoing) => void,
 *   onRefused?: (message: Outgoing, detail: string) => void,
 * }} Ways  post: over REST, where there is such a way
 */
import { backoffMs } from "./connection.js";
import { Refused } from "./api.js";
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
  #lines = /** @type {Map<string, Outgoing[]>} */ (new Map()); // by conversation; the first is sent

  /** @param {Ways} ways */
  constructor(ways) {
    this.#ways = ways;
  }

  /**
   * Send it as soon as those before it are settled; the first one at once, and again if need be.
   *
   * @param {Outgoing} message
   */
  deliver(message) {
    const line = this.#lineOf(message);
    if (!line.some((one) => one.client_id === message.client_id)) line.push(message);
    // Those that were taken back meanwhile hold up nobody.
    while (line.length && !this.#ways.isPending(line[0].client_id)) this.#forget(line[0].client_id);
    if (line[0]?.client_id === message.client_id) this.#send(message);
  }

  /** It has arrived, was refused or is not wanted any more. @param {string} clientId */
  settled(clientId) {
    const next = this.#forget(clientId);
    if (next) this.deliver(next);
  }

  /** The server could not take it now: again, a little later each time. @param {Outgoing} message */
  repeat(message) {
    const { client_id } = message;
    const failures = this.#failures.get(client_id) ?? 0;
    this.#failures.set(client_id, failures + 1);
    this.#timers.after(client_id, backoffMs(failures + FIRST_REPETITION, Math.random()), () =>
      this.#ways.isPending(client_id) ? this.deliver(message) : this.settled(client_id),
    );
  }

  /** @param {Outgoing} message */
  #lineOf({ conversation = "" }) {
    const line = this.#lines.get(conversation) ?? [];
    this.#lines.set(conversation, line);
    return line;
  }

  /**
   * @param {string} clientId
   * @returns {Outgoing | undefined} the one behind it, if that is first now
   */
  #forget(clientId) {
    this.#timers.clear(clientId);
    this.#failures.delete(clientId);
    for (const line of this.#lines.values()) {
      const place = line.findIndex((one) => one.client_id === clientId);
      if (place !== -1) line.splice(place, 1);
      if (place === 0) return line[0];
    }
    return undefined;
  }

  /** @param {Outgoing} message */
  #send(message) {
    const { client_id, text, conversation } = message;
    const attachments = idsOf(message);
    const sent = this.#ways.send({
      ...{ type: "message", client_id, text },
      ...(conversation && { conversation }),
      ...(attachments.length && { attachments }),
    });
    const wait = sent ? ACKNOWLEDGE_MS : SOCKET_FIRST_MS;
    this.#timers.after(client_id, wait, () => void this.#otherwise(message));
  }

  /** @param {Outgoing} message */
  async #otherwise(message) {
    const { client_id, text } = message;
    if (!this.#ways.isPending(client_id)) {
      this.settled(client_id);
      return;
    }
    try {
      if (!this.#ways.post) throw new Error("There is no other way");
      await this.#ways.post(text, client_id, idsOf(message));
      // It is stored, but what tells the page so was lost.
      if (this.#ways.isPending(client_id)) this.repeat(message);
    } catch (error) {
      if (!this.#ways.isPending(client_id)) return; // the socket was quicker
      if (error instanceof Refused && !error.isPassing) {
        this.#ways.onRefused?.(message, error.detail);
        this.settled(client_id);
        return;
      }
      this.#ways.onFailed(message);
      this.repeat(message);
    }
  }
}

/** @param {Outgoing} message @returns {string[]} */
function idsOf({ attachments = [] }) {
  return attachments.map(({ id }) => id);
}
