// @ts-check
/**
 * Labels: shown in the head of the conversation and in the lists, put on and taken off by a click.
 * Everybody sees it at once: the socket brings the entry as it is then.
 */
import { Refused } from "./api.js";
import { part, set } from "./bubbles.js";
import { chips } from "./chips.js";

/** @typedef {import("./inbox.js").Label} Label */

export class Labels {
  #workspace;
  #all = /** @type {Label[]} */ ([]);
  #of = /** @type {string | null} */ (null); // the conversation whose labels are chosen

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    workspace.addEventListener("subject", () => this.#showHead());
    part(workspace, "labels-open").addEventListener("click", (event) =>
      this.#open(workspace.subject.conversation, /** @type {HTMLElement} */ (event.currentTarget)),
    );
    part(workspace, "list").addEventListener("click", (event) => {
      const button = /** @type {HTMLElement} */ (event.target).closest("[data-part=label]");
      if (button) this.#open(/** @type {HTMLElement} */ (button).dataset.conversation ?? null, button);
    });
    part(workspace, "label-choices").addEventListener("change", (event) =>
      void this.#choose(/** @type {HTMLInputElement} */ (event.target)),
    );
    workspace.commands.add({
      id: "label",
      label: workspace.texts("command-label"),
      may: () => workspace.subject.conversation !== null,
      run: () => this.#open(workspace.subject.conversation, part(workspace, "labels-open")),
    });
  }

  #showHead() {
    const labels = this.#workspace.subject.entry?.labels ?? [];
    part(this.#workspace, "labels").replaceChildren(...chips(labels));
  }

  /** @param {string | null} conversation @param {Element} beside */
  async #open(conversation, beside) {
    if (!conversation) return;
    this.#of = conversation;
    const popover = part(this.#workspace, "label-menu");
    this.#say("");
    this.#draw();
    popover.showPopover();
    place(popover, beside);
    try {
      const found = await this.#workspace.api?.call("GET", "/api/workspace/filters");
      this.#all = found.labels;
      this.#say(this.#all.length ? "" : this.#workspace.texts("labels-none"));
    } catch (error) {
      this.#failed(error);
    }
    if (this.#of !== conversation) return;
    this.#draw();
    place(popover, beside);
    popover.querySelector("input")?.focus();
  }

  #draw() {
    const its = new Set(this.#entryLabels.map(({ id }) => id));
    const rows = this.#all.map((label) => {
      const [row, box] = [document.createElement("label"), document.createElement("input")];
      box.type = "checkbox";
      box.value = String(label.id);
      box.checked = its.has(label.id);
      row.append(box, ...chips([label]));
      return row;
    });
    part(this.#workspace, "label-choices").replaceChildren(...rows);
  }

  get #entryLabels() {
    return this.#workspace.entryOf(this.#of ?? "")?.labels ?? [];
  }

  /** @param {HTMLInputElement} box */
  async #choose(box) {
    const conversation = this.#of ?? "";
    const method = box.checked ? "PUT" : "DELETE";
    box.disabled = true;
    try {
      await this.#workspace.api?.call(
        method,
        `/api/workspace/conversations/${conversation}/labels/${box.value}`,
      );
      this.#say("");
      await this.#workspace.readEntry(conversation);
    } catch (error) {
      box.checked = !box.checked;
      this.#failed(error);
    }
    box.disabled = false;
    box.focus();
  }

  /** @param {unknown} error */
  #failed(error) {
    this.#say(error instanceof Refused ? error.detail : this.#workspace.texts("label-failed"));
  }

  /** @param {string} text */
  #say(text) {
    set(part(this.#workspace, "label-result"), text);
  }
}

/** Put a popover below what it belongs to, within the window. @param {HTMLElement} popover @param {Element} beside */
function place(popover, beside) {
  const anchor = beside.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const below = anchor.bottom + 6;
  const top = below + height > innerHeight ? Math.max(8, innerHeight - height - 8) : below;
  popover.style.setProperty("top", `${top}px`);
  popover.style.setProperty("left", `${Math.max(8, Math.min(anchor.left, innerWidth - width - 8))}px`);
}
