// @ts-check
/**
 * The tone for a new conversation. Browsers play nothing before a click, so it is asked for once,
 * and after a reload it is ready again with the agent's first click or key.
 */

const KEY = "customer-service.sound";

export class Sound {
  #context = /** @type {AudioContext | null} */ (null);

  constructor() {
    const wake = () => this.isOn && this.#ready();
    addEventListener("pointerdown", wake, { once: true });
    addEventListener("keydown", wake, { once: true });
  }

  /** @returns {"on" | "off" | null} null: never asked */
  get choice() {
    try {
      return /** @type {any} */ (localStorage.getItem(KEY));
    } catch {
      return "off";
    }
  }

  get isOn() {
    return this.choice === "on";
  }

  /** Keep the choice, and let the agent hear what he chose. @param {boolean} on */
  choose(on) {
    try {
      localStorage.setItem(KEY, on ? "on" : "off");
    } catch {
      return;
    }
    if (on) this.play();
  }

  /** Two short, soft notes; silent when sound is off or the browser does not allow it yet. */
  play() {
    if (this.isOn) this.#sound();
  }

  /** Play it, chosen or not. @returns {Promise<boolean>} false: the browser allows no sound here */
  async test() {
    this.#sound();
    // It never settles where the browser forbids it.
    await Promise.race([this.#context?.resume(), new Promise((settle) => setTimeout(settle, 500))]);
    return this.#context?.state === "running";
  }

  #sound() {
    const context = this.#ready();
    [660, 880].forEach((frequency, index) => {
      const start = context.currentTime + index * 0.16;
      const tone = context.createOscillator();
      const volume = context.createGain();
      tone.frequency.value = frequency;
      volume.gain.setValueAtTime(0, start);
      volume.gain.linearRampToValueAtTime(0.12, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, start + 0.3);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(start + 0.32);
    });
  }

  #ready() {
    this.#context ??= new AudioContext();
    void this.#context.resume();
    return this.#context;
  }
}
