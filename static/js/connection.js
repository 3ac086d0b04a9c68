// @ts-check
/**
 * A socket that comes back: sign-in frame, heartbeat in both directions, back-off with jitter.
 *
 * @typedef {"connecting" | "open" | "lost" | "shut"} State
 *   lost: it comes back by itself. shut: it does not, signing in was refused.
 * @typedef {{onFrame: (frame: any) => void, onState: (state: State, attempt: number) => void}} Listener
 */

const HEARTBEAT_MS = 20_000;
/** A server that has not answered within this time is gone, whatever the socket says. */
const ANSWER_MS = 10_000;
const LONGEST_MS = 30_000;

/** The server stops in order: another one, or its successor, takes over within this time. */
const MOVE_MS = 1_000;
const SERVER_RESTARTS = 1012;

/** Signing in was refused; trying again cannot help. */
export class SignInRefused extends Error {}

/**
 * How long to wait before another attempt: 0.5 s doubled each time, at most 30 s. Half of it is
 * drawn by lot: the browsers that one restart cut off must not come back all at once.
 *
 * @param {number} attempt 0 for the first
 * @param {number} lot 0 to 1, from Math.random()
 * @returns {number} milliseconds
 */
export function backoffMs(attempt, lot) {
  const longest = Math.min(LONGEST_MS, 500 * 2 ** Math.min(attempt, 16));
  return longest / 2 + (longest / 2) * lot;
}

/**
 * How long to wait after a socket was closed.
 *
 * @param {number} code of the close; 1012: the server asks all its clients to move, at once but
 *   not at the same moment
 * @param {number} attempt 0 for the first
 * @param {number} lot 0 to 1
 * @returns {number} milliseconds
 */
export function comeBackMs(code, attempt, lot) {
  return code === SERVER_RESTARTS && attempt === 0 ? MOVE_MS * lot : backoffMs(attempt, lot);
}

export class Connection {
  #url;
  #hello;
  #listener;
  #signInAgain;
  #socket = /** @type {WebSocket | null} */ (null);
  #state = /** @type {State} */ ("connecting");
  #attempt = 0;
  #timers = /** @type {Record<string, number>} */ ({});

  /**
   * @param {string} path of the socket on this host
   * @param {() => Promise<object>} hello makes the first frame; throws SignInRefused, or anything
   *   else when the server cannot be reached
   * @param {() => void} signInAgain called when the server no longer takes our token
   * @param {Listener} listener
   */
  constructor(path, hello, signInAgain, listener) {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    this.#url = `${scheme}://${location.host}${path}`;
    this.#hello = hello;
    this.#signInAgain = signInAgain;
    this.#listener = listener;
    addEventListener("online", () => this.check());
    addEventListener("offline", () => this.check());
    addEventListener("pageshow", () => this.check());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.check();
    });
    void this.#connect();
  }

  get isOpen() {
    return this.#state === "open";
  }

  /**
   * @param {object} frame
   * @returns {boolean} false: there is no connection, the frame is lost
   */
  send(frame) {
    if (this.#state !== "open" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Find out now, not at the next heartbeat: the laptop woke up, or the network changed. */
  check() {
    if (this.#state === "lost") {
      this.#attempt = 0;
      void this.#connect();
    } else if (this.#state === "open") {
      this.#ping(ANSWER_MS / 2);
    }
  }

  /** Say hello again on the same socket, with a fresh token. */
  async renew() {
    if (this.#state === "open") this.#socket?.send(JSON.stringify(await this.#hello()));
  }

  async #connect() {
    this.#drop();
    this.#become("connecting");
    let hello;
    try {
      hello = await this.#hello();
    } catch (error) {
      if (error instanceof SignInRefused) this.#become("shut");
      else this.#lose();
      return;
    }
    if (this.#state !== "connecting" || this.#socket) return; // another attempt overtook this one
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    this.#after("answer", ANSWER_MS, () => this.#lose());
    socket.onopen = () => socket.send(JSON.stringify(hello));
    socket.onmessage = (event) => this.#receive(event);
    socket.onclose = (event) => this.#closed(event.code);
  }

  /** @param {MessageEvent} event */
  #receive(event) {
    clearTimeout(this.#timers.answer); // whatever it says, it is alive
    const frame = JSON.parse(event.data);
    if (frame.type === "welcome" && this.#state !== "open") {
      this.#attempt = 0;
      this.#become("open");
      this.#beat();
    }
    this.#listener.onFrame(frame);
  }

  #beat() {
    this.#after("beat", HEARTBEAT_MS, () => {
      this.#ping(ANSWER_MS);
      this.#beat();
    });
  }

  /** @param {number} within milliseconds */
  #ping(within) {
    if (this.send({ type: "ping" })) this.#after("answer", within, () => this.#lose());
  }

  /** @param {number} code */
  #closed(code) {
    if (code === 4403) {
      this.#drop();
      this.#become("shut");
      return;
    }
    if (code === 4401) this.#signInAgain();
    this.#lose(code);
  }

  /** @param {number} [code] of the close, 0 where there was none */
  #lose(code = 0) {
    this.#drop();
    this.#become("lost");
    const wait = comeBackMs(code, this.#attempt, Math.random());
    this.#after("retry", wait, () => void this.#connect());
    this.#attempt += 1;
  }

  /** Let go of the socket without waiting for its close: a dead network may take minutes to tell. */
  #drop() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /**
   * @param {string} name a new timer replaces the one of the same name
   * @param {number} ms
   * @param {() => void} work
   */
  #after(name, ms, work) {
    clearTimeout(this.#timers[name]);
    this.#timers[name] = window.setTimeout(work, ms);
  }

  /** @param {State} state */
  #become(state) {
    this.#state = state;
    this.#listener.onState(state, this.#attempt);
  }
}
