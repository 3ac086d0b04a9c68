// @ts-check
/**
 * The field one writes in: Enter sends, Shift+Enter breaks the line, and the Enter that chooses
 * a Chinese word in an input method does neither.
 */

/**
 * What goes with the text of a message.
 *
 * @typedef {import("./uploads.js").Attachment} Attachment
 * @typedef {object} Cargo
 * @property {() => "none" | "uploading" | "failed" | "ready"} state
 * @property {() => Attachment[]} take hand it over
 * @property {(attachments: readonly Attachment[]) => void} put take it back
 * @property {() => void} wait say why it cannot be sent yet
 */

/** From this share of the limit on, the characters left are shown. */
const COUNTER_FROM = 0.9;

/**
 * @param {{key: string, shiftKey: boolean, ctrlKey: boolean, altKey: boolean, metaKey: boolean,
 *   isComposing: boolean, keyCode: number}} event a keydown
 * @returns {boolean}
 */
export function sends(event) {
  if (event.key !== "Enter" || event.shiftKey || event.altKey) return false;
  // Safari ends the composition before this event; 229 still tells that the input method had it.
  return !event.isComposing && event.keyCode !== 229;
}

/**
 * @param {string} text
 * @returns {number} characters as the server counts them: a pictograph is one, not two
 */
export function length(text) {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}

/**
 * Wire up a form with a textarea, a submit button and a counter.
 *
 * @param {HTMLFormElement} form
 * @param {{maxChars: number, texts: import("./texts.js").Texts,
 *   onSend: (text: string, attachments: Attachment[]) => void,
 *   onTyping?: () => void, onChange?: (text: string) => void}} options
 *   onChange: whenever the text is another one, also by `set`
 * @returns {{readonly text: string, set: (text: string, attachments?: readonly Attachment[]) => void,
 *   focus: () => void, enable: (on: boolean) => void, carry: (cargo: Cargo) => void, look: () => void}}
 *   carry: have files go with each message; look: whether it may be sent has changed
 */
export function compose(form, { maxChars, texts, onSend, onTyping, onChange }) {
  const field = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector("[type=submit]"));
  const counter = /** @type {HTMLElement} */ (form.querySelector("[data-part=counter]"));

  let cargo = /** @type {Cargo | null} */ (null);

  const look = () => {
    const used = length(field.value);
    const over = used > maxChars;
    counter.hidden = used < maxChars * COUNTER_FROM;
    counter.classList.toggle("is-over", over);
    if (!counter.hidden) {
      counter.textContent = over
        ? texts("too-long", { over: used - maxChars, most: maxChars })
        : texts("characters-left", { left: maxChars - used });
    }
    field.setAttribute("aria-invalid", String(over));
    const isEmpty = !field.value.trim() && (cargo?.state() ?? "none") === "none";
    button.disabled = field.disabled || over || isEmpty;
    // Grows with its text; the style sheet sets the most.
    field.rows = 1;
    while (field.scrollHeight > field.clientHeight + 1 && field.rows < 6) field.rows += 1;
  };
  const changed = () => {
    look();
    onChange?.(field.value);
  };
  const send = () => {
    const text = field.value.trim();
    if (button.disabled) return;
    if (cargo && ["uploading", "failed"].includes(cargo.state())) {
      cargo.wait();
      return;
    }
    field.value = "";
    const attachments = cargo?.take() ?? [];
    changed();
    onSend(text, attachments);
  };

  field.addEventListener("input", () => {
    changed();
    if (field.value) onTyping?.();
  });
  field.addEventListener("keydown", (event) => {
    if (!sends(event)) return;
    event.preventDefault();
    send();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send();
    field.focus();
  });
  look();
  return {
    get text() {
      return field.value;
    },
    set(text, attachments = []) {
      field.value = text;
      if (attachments.length) cargo?.put(attachments);
      changed();
    },
    carry(carried) {
      cargo = carried;
      look();
    },
    look,
    focus: () => field.focus(),
    enable(on) {
      field.disabled = !on;
      look();
    },
  };
}
