// @ts-check
/**
 * How an agent is told of what happens while he looks elsewhere: by sound and by notifications of the
 * system. He is asked once; browsers allow both only after a click, so the answer is that click. What
 * the browser forbids is said plainly, and both can be tried.
 */
import { part, set } from "./bubbles.js";
import { news } from "./inbox.js";
import { Sound } from "./sound.js";

const KEY = "customer-service.notifications";
const SHOWN_MS = 12_000;

/**
 * @typedef {import("./inbox.js").Entry} Entry
 * @typedef {import("./inbox.js").News} News
 * @typedef {"on" | "off" | "blocked" | "missing"} Allowed
 */

export class Notifications {
  #workspace;
  #sound = new Sound();

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    workspace.addEventListener("inbox", (event) => {
      const { before, after } = /** @type {CustomEvent} */ (event).detail;
      const isSupervisor = workspace.dataset.supervisor === "true";
      this.#tell(news(before, after, { isSupervisor }));
    });
    const on = (/** @type {string} */ name, /** @type {string} */ kind, /** @type {() => void} */ run) =>
      part(workspace, name).addEventListener(kind, run);
    on("sound-yes", "click", () => void this.#answer(true));
    on("sound-no", "click", () => void this.#answer(false));
    on("notify-sound", "change", () => this.#chooseSound(this.#box("notify-sound").checked));
    on("notify-desktop", "change", () => void this.#chooseDesktop(this.#box("notify-desktop").checked));
    on("notify-words", "change", () => keep({ ...kept(), words: this.#box("notify-words").checked }));
    on("test-sound", "click", () => void this.#testSound());
    on("test-desktop", "click", () => void this.#testDesktop());
    on("notifications", "toggle", () => this.#show());
    workspace.commands.add({
      id: "notifications",
      label: workspace.texts("command-notifications"),
      run: () => part(workspace, "notifications").showPopover(),
    });
    part(workspace, "ask-sound").hidden = this.#sound.choice !== null;
    this.#show();
  }

  // --- Telling ----------------------------------------------------------------------------------

  /** @param {News[]} happened */
  #tell(happened) {
    const wanted = happened.filter(({ kind, entry }) => kind !== "message" || !this.#isLookingAt(entry));
    if (!wanted.length) return;
    const sentences = wanted.map((one) => this.#sentence(one, true));
    const { texts } = this.#workspace;
    set(
      part(this.#workspace, "announcer"),
      sentences.length === 1 ? sentences[0] : texts("news-many", { count: sentences.length }),
    );
    this.#sound.play();
    if (document.hasFocus() || this.#desktop !== "on") return;
    // One each, so that each leads to its conversation; a flood is one line.
    if (wanted.length > 3) this.#notify(texts("news-many", { count: wanted.length }), "", null);
    else for (const one of wanted) this.#notifyOf(one);
  }

  /** @param {Entry} entry */
  #isLookingAt(entry) {
    return entry.conversation === this.#workspace.subject.conversation && document.hasFocus();
  }

  /** @param {News} one @param {boolean} withWords */
  #sentence({ kind, entry }, withWords) {
    const { texts, list } = this.#workspace;
    const values = { customer: list?.nameOf(entry) ?? "", text: entry.last_text };
    return texts(`news-${kind}${withWords && entry.last_text ? "" : "-plain"}`, values);
  }

  /** @param {News} one */
  #notifyOf(one) {
    const withWords = kept().words !== false;
    this.#notify(
      this.#sentence(one, false),
      withWords ? one.entry.last_text : "",
      one.entry.conversation,
    );
  }

  /**
   * @param {string} title
   * @param {string} body
   * @param {string | null} conversation opened by a click; a newer one about it takes its place
   * @returns {Notification | null} null: this browser shows none from a page
   */
  #notify(title, body, conversation) {
    try {
      const shown = new Notification(title, { body, tag: conversation ?? "many", icon: "/static/img/favicon.svg" });
      shown.onclick = () => {
        window.focus();
        if (conversation) this.#workspace.choose(conversation);
        shown.close();
      };
      setTimeout(() => shown.close(), SHOWN_MS);
      return shown;
    } catch {
      return null; // phones want a service worker for it
    }
  }

  // --- Choosing ---------------------------------------------------------------------------------

  /** @param {boolean} isYes to being told at all: a click, which the browser wants for both */
  async #answer(isYes) {
    part(this.#workspace, "ask-sound").hidden = true;
    this.#chooseSound(isYes);
    if (isYes && this.#desktop !== "missing") await this.#chooseDesktop(true);
  }

  /** @param {boolean} on */
  #chooseSound(on) {
    part(this.#workspace, "ask-sound").hidden = true;
    this.#sound.choose(on);
    this.#show();
  }

  /** @param {boolean} on */
  async #chooseDesktop(on) {
    if (on && "Notification" in window && Notification.permission === "default") {
      await Notification.requestPermission();
    }
    keep({ ...kept(), desktop: on });
    this.#show();
  }

  async #testSound() {
    const isHeard = await this.#sound.test();
    this.#say(isHeard ? "test-sound-played" : "test-sound-blocked");
  }

  async #testDesktop() {
    if (this.#desktop === "off") {
      this.#say("desktop-asked");
      await this.#chooseDesktop(true);
    }
    const { texts } = this.#workspace;
    if (this.#desktop !== "on") this.#say(`desktop-${this.#desktop}`);
    else if (this.#notify(texts("test-title"), texts("test-body"), null)) this.#say("test-desktop-shown");
    else this.#say("desktop-missing");
  }

  /** @param {string} key */
  #say(key) {
    set(part(this.#workspace, "notify-result"), this.#workspace.texts(key));
  }

  /** @returns {Allowed} */
  get #desktop() {
    if (!("Notification" in window) || !isSecureContext) return "missing";
    if (Notification.permission === "denied") return "blocked";
    return kept().desktop && Notification.permission === "granted" ? "on" : "off";
  }

  #show() {
    const { texts } = this.#workspace;
    this.#box("notify-sound").checked = this.#sound.isOn;
    this.#box("notify-desktop").checked = this.#desktop === "on";
    this.#box("notify-desktop").disabled = this.#desktop === "missing" || this.#desktop === "blocked";
    this.#box("notify-words").checked = kept().words !== false;
    const trouble = ["missing", "blocked"].includes(this.#desktop);
    set(part(this.#workspace, "desktop-state"), trouble ? texts(`desktop-${this.#desktop}`) : "");
    const isTold = this.#sound.isOn || this.#desktop === "on";
    const button = part(this.#workspace, "notifications-open");
    button.classList.toggle("is-off", !isTold);
    set(part(button, "notifications-state"), texts(isTold ? "told" : "not-told"));
    set(part(this.#workspace, "notify-result"), "");
  }

  /** @param {string} name */
  #box(name) {
    return /** @type {HTMLInputElement} */ (part(this.#workspace, name));
  }
}

/** @returns {{desktop?: boolean, words?: boolean}} the agent's choices at this browser */
function kept() {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? "{}");
  } catch {
    return {};
  }
}

/** @param {{desktop?: boolean, words?: boolean}} choices */
function keep(choices) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Storage is forbidden: it lasts as long as the permission.
  }
}
