// @ts-check
/**
 * Files on their way to the server, for one message that is being written. No DOM here:
 * `node --test tests/js/` runs it as it is.
 *
 * @typedef {{id: string, name: string, content_type: string, size: number, width: number | null,
 *   height: number | null, url: string, thumbnail_url: string | null}} Attachment  docs/protocol.md
 * @typedef {"uploading" | "ready" | "failed"} UploadState
 * @typedef {object} Upload
 * @property {number} key
 * @property {string} name
 * @property {number} size bytes
 * @property {File | null} file null: it was uploaded before
 * @property {UploadState} state
 * @property {number} percent of it that has gone out
 * @property {string} reason why it failed, for the reader
 * @property {boolean} mayHelp whether trying again may help
 * @property {Attachment | null} attachment as the server has it
 *
 * @typedef {object} Ways
 * @property {(file: File, onProgress: (share: number) => void, signal: AbortSignal) => Promise<Attachment>} send
 * @property {(attachment: Attachment) => void} forget delete one that will not be sent
 * @property {(error: unknown) => {reason: string, mayHelp: boolean}} explain
 * @property {(file: File) => string} refuse why the server would not take it, "" where it may
 * @property {(upload: Upload | null) => void} onChange  null: one was added or removed
 */

/** At most so many at once: on a weak network several together never end. */
const AT_ONCE = 2;

export class Uploads {
  #ways;
  #key = 0;
  #list = /** @type {Upload[]} */ ([]);
  #stops = /** @type {Map<number, AbortController>} */ (new Map());

  /** @param {Ways} ways */
  constructor(ways) {
    this.#ways = ways;
  }

  /** @returns {readonly Upload[]} */
  get list() {
    return this.#list;
  }

  /** @returns {"none" | UploadState} of all together: a message waits for the last of its files */
  get state() {
    if (!this.#list.length) return "none";
    if (this.#list.some((one) => one.state === "uploading")) return "uploading";
    return this.#list.some((one) => one.state === "failed") ? "failed" : "ready";
  }

  /** @param {readonly File[]} files */
  add(files) {
    for (const file of files) {
      const reason = this.#ways.refuse(file);
      this.#list.push({ ...this.#fresh(file.name, file.size, file), ...(reason && { state: "failed", reason }) });
    }
    this.#ways.onChange(null);
    this.#next();
  }

  /** Take back what was uploaded and is to be sent after all. @param {readonly Attachment[]} attachments */
  put(attachments) {
    for (const attachment of attachments) {
      this.#list.push({ ...this.#fresh(attachment.name, attachment.size, null), state: "ready", attachment });
    }
    this.#ways.onChange(null);
  }

  /** @param {number} key */
  again(key) {
    const upload = this.#list.find((one) => one.key === key);
    if (!upload?.mayHelp) return;
    Object.assign(upload, { state: "uploading", percent: 0, reason: "", mayHelp: false });
    this.#ways.onChange(upload);
    this.#next();
  }

  /** @param {number} key */
  remove(key) {
    const upload = this.#list.find((one) => one.key === key);
    if (!upload) return;
    this.#list = this.#list.filter((one) => one !== upload);
    this.#stops.get(key)?.abort();
    this.#stops.delete(key);
    if (upload.attachment) this.#ways.forget(upload.attachment);
    this.#ways.onChange(null);
    this.#next();
  }

  /** Hand over what is to be sent; from now on it belongs to a message. @returns {Attachment[]} */
  take() {
    const taken = this.#list.flatMap((one) => one.attachment ?? []);
    this.#list = [];
    this.#ways.onChange(null);
    return taken;
  }

  /** @param {string} name @param {number} size @param {File | null} file @returns {Upload} */
  #fresh(name, size, file) {
    this.#key += 1;
    const state = /** @type {const} */ ("uploading");
    return { key: this.#key, name, size, file, state, percent: 0, reason: "", mayHelp: false, attachment: null };
  }

  #next() {
    for (const upload of this.#list) {
      if (this.#stops.size >= AT_ONCE) return;
      if (upload.state === "uploading" && !this.#stops.has(upload.key)) void this.#send(upload);
    }
  }

  /** @param {Upload} upload */
  async #send(upload) {
    const stop = new AbortController();
    this.#stops.set(upload.key, stop);
    const progress = (/** @type {number} */ share) => {
      upload.percent = Math.floor(share * 100);
      this.#ways.onChange(upload);
    };
    try {
      const attachment = await this.#ways.send(/** @type {File} */ (upload.file), progress, stop.signal);
      if (stop.signal.aborted) {
        this.#ways.forget(attachment); // it had arrived before it was removed
        return;
      }
      Object.assign(upload, { state: "ready", percent: 100, attachment, name: attachment.name });
    } catch (error) {
      if (stop.signal.aborted) return;
      Object.assign(upload, { state: "failed", ...this.#ways.explain(error) });
    }
    this.#stops.delete(upload.key);
    this.#ways.onChange(upload);
    this.#next();
  }
}
