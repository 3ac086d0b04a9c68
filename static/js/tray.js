// @ts-check
/**
 * The tray of files over a field one writes in: chosen, dropped or pasted, shown while they go up,
 * and handed over with the message. Which message, and whose, is for the page to say.
 *
 * @typedef {import("./file-views.js").Host} Host
 * @typedef {import("./uploads.js").Upload} Upload
 * @typedef {import("./uploads.js").Attachment} Attachment
 * @typedef {HTMLElement & {api: import("./api.js").Api, texts: import("./texts.js").Texts,
 *   say: (text: string) => void,
 *   composer?: ReturnType<typeof import("./composer.js").compose>}} Writing  the chat or the workspace
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { sizeOf } from "./sizes.js";
import { Uploads } from "./uploads.js";

const PREVIEWED = /^image\/(png|jpeg|gif|webp)$/;

export class Tray {
  #host;
  #path;
  #whose;
  #may;
  #all = /** @type {Map<string, Uploads>} */ (new Map());
  #list;
  #input;
  #depth = 0; // of elements that a dragged file is over

  /**
   * @param {Writing} host
   * @param {{path: string, whose?: () => string, may?: () => boolean, area?: Element}} options
   *   path: where files are uploaded; whose: the conversation that is being written in; may:
   *   whether one may write there now; area: where files may be dropped and pasted
   */
  constructor(host, { path, whose = () => "", may = () => true, area = host }) {
    this.#host = host;
    this.#path = path;
    this.#whose = whose;
    this.#may = may;
    this.#list = part(host, "tray");
    this.#input = /** @type {HTMLInputElement} */ (part(host, "file-input"));
    part(host, "attach").addEventListener("click", () => this.choose());
    this.#input.addEventListener("change", () => {
      this.add([...(this.#input.files ?? [])]);
      this.#input.value = ""; // the same file may be chosen again
    });
    this.#listen(area);
    host.composer?.carry({
      state: () => this.#uploads.state,
      take: () => this.#uploads.take(),
      put: (attachments) => this.#uploads.put(attachments),
      wait: () => host.say(host.texts(this.#uploads.state === "failed" ? "files-failed" : "files-wait")),
    });
  }

  /** Open the browser's dialog. */
  choose() {
    if (this.#may()) this.#input.click();
  }

  /** @param {File[]} files */
  add(files) {
    if (!files.length || !this.#may()) return;
    const room = Number(this.#list.dataset.mostFiles) - this.#uploads.list.length;
    if (files.length > room) {
      this.#host.say(this.#host.texts("files-most", { most: this.#list.dataset.mostFiles ?? "" }));
    }
    this.#uploads.add(files.slice(0, Math.max(0, room)));
    // On a phone the keyboard would cover what was just chosen.
    if (matchMedia("(pointer: fine)").matches) this.#host.composer?.focus();
  }

  /** Show the tray of the conversation that is being written in now. */
  show() {
    const uploads = this.#uploads.list;
    /** @type {HTMLButtonElement} */ (part(this.#host, "attach")).disabled = !this.#may();
    this.#list.hidden = !uploads.length || !this.#may();
    if (!uploads.length) set(part(this.#host, "tray-news"), "");
    draw(
      this.#list,
      uploads.map((upload) => ({ key: `${this.#whose()} ${upload.key}`, upload })),
      ({ upload }) => this.#created(upload),
      (element, { upload }) => this.#update(element, upload),
    );
    this.#host.composer?.look();
  }

  get #uploads() {
    const whose = this.#whose();
    const known = this.#all.get(whose) ?? this.#fresh();
    this.#all.set(whose, known);
    return known;
  }

  #fresh() {
    const { api, texts } = this.#host;
    return new Uploads({
      send: (file, onProgress, signal) => {
        const form = new FormData();
        form.append("file", file);
        return api.upload(this.#path, form, onProgress, signal);
      },
      // What is left behind is swept by the server.
      forget: ({ url }) => void api.call("DELETE", url).catch(() => {}),
      explain: (error) =>
        error instanceof Refused
          ? { reason: error.detail, mayHelp: error.isPassing || error.code === "too_many_files" }
          : { reason: texts("file-failed"), mayHelp: true },
      refuse: ({ size }) => {
        const most = Number(this.#list.dataset.mostBytes);
        if (size > most) return texts("file-too-large", { most: sizeOf(most, document.documentElement.lang) });
        return size ? "" : texts("file-empty");
      },
      onChange: (upload) => this.#changed(upload),
    });
  }

  /** @param {Upload | null} upload */
  #changed(upload) {
    this.show();
    if (!upload || upload.state === "uploading") return;
    const { name, reason } = upload;
    const key = upload.state === "ready" ? "file-ready" : "file-not-ready";
    set(part(this.#host, "tray-news"), this.#host.texts(key, { name, reason }));
  }

  // --- One of them ------------------------------------------------------------------------------

  /** @param {Upload} upload */
  #created(upload) {
    const { texts } = this.#host;
    const template = /** @type {HTMLTemplateElement} */ (document.getElementById("tray-file"));
    const element = /** @type {HTMLElement} */ (
      /** @type {DocumentFragment} */ (template.content.cloneNode(true)).firstElementChild
    );
    const { key, name, file } = upload;
    if (file && PREVIEWED.test(file.type)) {
      const image = document.createElement("img");
      image.alt = "";
      image.src = URL.createObjectURL(file);
      image.addEventListener("load", () => URL.revokeObjectURL(image.src), { once: true });
      image.addEventListener("error", () => image.remove(), { once: true });
      part(element, "preview").append(image);
    }
    const remove = part(element, "drop-it");
    remove.setAttribute("aria-label", texts("file-remove", { name }));
    remove.addEventListener("click", () => {
      this.#uploads.remove(key);
      set(part(this.#host, "tray-news"), texts("file-removed", { name }));
      this.#host.composer?.focus();
    });
    const again = part(element, "upload-again");
    again.setAttribute("aria-label", texts("file-again", { name }));
    again.addEventListener("click", () => this.#uploads.again(key));
    return element;
  }

  /** @param {HTMLElement} element @param {Upload} upload */
  #update(element, { name, size, state, percent, reason, mayHelp }) {
    const { texts } = this.#host;
    element.dataset.state = state;
    element.title = name;
    set(part(element, "name"), name);
    const going = percent < 100 ? texts("file-uploading", { percent }) : texts("file-checking");
    const shown = { uploading: going, ready: sizeOf(size, document.documentElement.lang), failed: reason };
    set(part(element, "state"), shown[state]);
    part(element, "upload-again").hidden = state !== "failed" || !mayHelp;
    const progress = /** @type {HTMLProgressElement} */ (part(element, "progress"));
    progress.hidden = state !== "uploading";
    progress.value = percent;
    progress.setAttribute("aria-label", name);
  }

  // --- Dropped and pasted -----------------------------------------------------------------------

  /** @param {Element} area */
  #listen(area) {
    const zone = part(this.#host, "drop");
    /** @param {number} depth */
    const over = (depth) => {
      this.#depth = Math.max(0, depth);
      zone.classList.toggle("is-over", this.#depth > 0 && this.#may());
    };
    const on = (/** @type {string} */ type, /** @type {(event: DragEvent) => void} */ listener) =>
      area.addEventListener(type, (event) => {
        const dragged = /** @type {DragEvent} */ (event);
        if (!dragged.dataTransfer?.types.includes("Files")) return;
        event.preventDefault(); // or the browser leaves the page and opens the file
        listener(dragged);
      });
    on("dragenter", () => over(this.#depth + 1));
    on("dragleave", () => over(this.#depth - 1));
    on("dragover", (event) => {
      if (event.dataTransfer) event.dataTransfer.dropEffect = this.#may() ? "copy" : "none";
    });
    on("drop", (event) => {
      over(0);
      this.add([...(event.dataTransfer?.files ?? [])]);
    });
    area.addEventListener("paste", (event) => {
      const { clipboardData } = /** @type {ClipboardEvent} */ (event);
      // A copied table comes as text and as a picture of it: the text is meant.
      if (!clipboardData?.files.length || clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      this.add([...clipboardData.files]);
    });
  }
}

/** The customer's files. */
export class CustomerFiles {
  /** @param {import("./chat.js").CsChat} chat */
  constructor(chat) {
    const tray = new Tray(/** @type {any} */ (chat), { path: "/api/attachments" });
    tray.show();
  }
}

/** An agent's files: each conversation has a tray of its own, so that nothing goes to another. */
export class AgentFiles {
  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    const may = () => workspace.subject.isMine && workspace.subject.conversation !== null;
    const tray = new Tray(/** @type {any} */ (workspace), {
      path: "/api/workspace/attachments",
      whose: () => workspace.subject.conversation ?? "",
      may,
      area: /** @type {HTMLElement} */ (workspace.querySelector("[data-part=reading]")),
    });
    workspace.addEventListener("subject", () => tray.show());
    workspace.commands.add({
      id: "attach",
      code: "KeyU",
      label: workspace.texts("command-attach"),
      may,
      run: () => tray.choose(),
    });
    tray.show();
  }
}
