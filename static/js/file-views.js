// @ts-check
/**
 * The files of messages on the screen: pictures as small copies that open, the rest as rows to
 * save. Each is fetched with the reader's token and shown from memory; no address opens it.
 *
 * @typedef {import("./uploads.js").Attachment} Attachment
 * @typedef {HTMLElement & {api?: import("./api.js").Api, texts: import("./texts.js").Texts,
 *   say: (text: string) => void}} Host  the chat or the workspace
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { sizeOf } from "./sizes.js";

/** The longer side of a picture in a message. */
const SHOWN_PX = 240;
/** A whole file may take longer than other answers. */
const FILE_MS = 120_000;
/** A moment for the browser to begin saving. */
const SAVING_MS = 10_000;

export class FileViews {
  #host;
  #small = /** @type {Map<string, Promise<string>>} */ (new Map()); // addresses in memory
  #seen;
  #wanted = /** @type {WeakMap<Element, () => void>} */ (new WeakMap());
  #opened = /** @type {Attachment | null} */ (null);

  /** @param {Host} host */
  constructor(host) {
    this.#host = host;
    this.#seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!isIntersecting) continue;
        this.#seen.unobserve(target);
        this.#wanted.get(target)?.();
      }
    }, { rootMargin: "400px" });
    const dialog = this.#dialog;
    dialog.addEventListener("close", () => this.#closed());
    dialog.addEventListener("click", ({ target }) => {
      // Beside the picture.
      if (target instanceof Element && !target.closest("header, img")) dialog.close();
    });
    part(dialog, "picture-save").addEventListener("click", () => this.#opened && this.#save(this.#opened));
  }

  /**
   * Draw the files of a message; drawing the same again changes nothing.
   *
   * @param {HTMLElement} container
   * @param {readonly Attachment[]} attachments
   */
  draw(container, attachments) {
    const ids = attachments.map((one) => one.id).join(" ");
    if ((container.dataset.ids ?? "") === ids) return;
    container.dataset.ids = ids;
    container.hidden = !ids;
    container.setAttribute("aria-label", this.#host.texts("files-of"));
    container.replaceChildren(
      ...attachments.map((one) => (one.thumbnail_url ? this.#picture(one) : this.#file(one))),
    );
  }

  /** @param {Attachment} attachment */
  #picture(attachment) {
    const { name, width, height } = attachment;
    const button = cloned("message-picture");
    const image = /** @type {HTMLImageElement} */ (part(button, "shown"));
    // Its room is there before it is: nothing moves when it comes.
    const scale = Math.min(1, SHOWN_PX / Math.max(width ?? 1, height ?? 1));
    image.width = Math.max(1, Math.round((width ?? SHOWN_PX) * scale));
    image.height = Math.max(1, Math.round((height ?? SHOWN_PX) * scale));
    button.title = name;
    const label = this.#host.texts("picture-open", { name });
    button.setAttribute("aria-label", label);
    const load = async () => {
      try {
        image.src = await this.#thumbnail(attachment);
        delete button.dataset.failed;
        set(part(button, "failure"), "");
      } catch {
        button.dataset.failed = "";
        set(part(button, "failure"), this.#host.texts("picture-failed"));
      }
    };
    this.#wanted.set(button, load);
    this.#seen.observe(button);
    button.addEventListener("click", () => {
      if ("failed" in button.dataset) void load();
      else void this.#open(attachment);
    });
    return button;
  }

  /** @param {Attachment} attachment */
  #file(attachment) {
    const { name, size } = attachment;
    const button = cloned("message-file");
    const shown = sizeOf(size, document.documentElement.lang);
    set(part(button, "file-name"), name);
    set(part(button, "file-size"), shown);
    button.title = name;
    button.setAttribute("aria-label", this.#host.texts("file-save", { name, size: shown }));
    button.addEventListener("click", async () => {
      button.ariaDisabled = "true";
      await this.#save(attachment);
      button.ariaDisabled = "false";
    });
    return button;
  }

  /** @param {Attachment} attachment */
  #thumbnail({ thumbnail_url }) {
    const url = /** @type {string} */ (thumbnail_url);
    const known = this.#small.get(url) ?? this.#inMemory(url);
    this.#small.set(url, known);
    known.catch(() => this.#small.delete(url)); // the next attempt asks again
    return known;
  }

  /** @param {string} url @returns {Promise<string>} an address in the page's own memory */
  async #inMemory(url) {
    const answer = await /** @type {import("./api.js").Api} */ (this.#host.api).fetch("GET", url, undefined, FILE_MS);
    return URL.createObjectURL(await answer.blob());
  }

  get #dialog() {
    return /** @type {HTMLDialogElement} */ (part(this.#host, "picture"));
  }

  /** @param {Attachment} attachment */
  async #open(attachment) {
    const { name, url, width, height } = attachment;
    this.#opened = attachment;
    const image = /** @type {HTMLImageElement} */ (part(this.#dialog, "picture-image"));
    const state = part(this.#dialog, "picture-state");
    set(part(this.#dialog, "picture-name"), name);
    image.alt = name;
    image.width = width ?? 0;
    image.height = height ?? 0;
    set(state, this.#host.texts("picture-loading"));
    this.#dialog.showModal();
    try {
      image.src = await this.#thumbnail(attachment); // at once, until the whole one is there
      const whole = await this.#inMemory(url);
      if (this.#opened !== attachment) {
        URL.revokeObjectURL(whole);
        return;
      }
      image.src = whole;
      set(state, "");
    } catch (error) {
      if (this.#opened === attachment) set(state, this.#failure(error, "picture-failed"));
    }
  }

  #closed() {
    const image = /** @type {HTMLImageElement} */ (part(this.#dialog, "picture-image"));
    const isWhole = this.#opened && !part(this.#dialog, "picture-state").textContent;
    if (isWhole) URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
    this.#opened = null;
  }

  /** @param {Attachment} attachment */
  async #save({ url, name }) {
    try {
      const link = document.createElement("a");
      link.href = await this.#inMemory(url);
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), SAVING_MS);
    } catch (error) {
      this.#host.say(this.#failure(error, "file-not-saved"));
    }
  }

  /** @param {unknown} error @param {string} otherwise key of the text */
  #failure(error, otherwise) {
    return this.#host.texts(error instanceof Refused && error.status === 404 ? "file-gone" : otherwise);
  }
}

/** @param {string} id of a template @returns {HTMLElement} */
function cloned(id) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (/** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild);
}
