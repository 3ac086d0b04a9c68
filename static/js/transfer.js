// @ts-check
/** The dialog that passes a conversation on: to whom or where, why, and what he should know. */
import { part, set } from "./bubbles.js";

/**
 * @typedef {{id: number, name: string, availability: string, present: boolean | null,
 *   chats: number, capacity: number, free: boolean}} Colleague
 * @typedef {{id: number, name: string, open: boolean, waiting: number}} Queue
 */

export class Transfer {
  #workspace;
  #texts;
  #dialog;
  #form;
  #conversation = /** @type {string | null} */ (null);

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    this.#dialog = /** @type {HTMLDialogElement} */ (part(workspace, "transfer-dialog"));
    this.#form = /** @type {HTMLFormElement} */ (part(workspace, "transfer-form"));
    const may = () => workspace.case?.may("transfer") ?? false;
    part(workspace, "transfer").addEventListener("click", () => may() && void this.#ask());
    part(workspace, "transfer-cancel").addEventListener("click", () => this.#dialog.close());
    this.#reason.addEventListener("change", () => this.#showOwn(true));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#pass();
    });
    workspace.commands.add({
      id: "transfer",
      code: "KeyX",
      label: this.#texts("command-transfer"),
      may,
      run: () => void this.#ask(),
    });
  }

  get #reason() {
    return /** @type {HTMLSelectElement} */ (part(this.#workspace, "transfer-reason"));
  }

  get #own() {
    return /** @type {HTMLInputElement} */ (part(this.#workspace, "transfer-own"));
  }

  get #summary() {
    return /** @type {HTMLTextAreaElement} */ (part(this.#workspace, "transfer-summary"));
  }

  /** @param {boolean} isChosen by hand, just now */
  #showOwn(isChosen) {
    this.#own.hidden = this.#reason.value !== "";
    if (isChosen && !this.#own.hidden) this.#own.focus();
  }

  async #ask() {
    const { conversation } = this.#workspace.subject;
    if (!conversation) return;
    this.#conversation = conversation;
    this.#form.reset();
    this.#showOwn(false);
    for (const name of ["transfer-agents", "transfer-queues"]) part(this.#dialog, name).replaceChildren();
    part(this.#dialog, "transfer-nobody").hidden = true;
    this.#error(this.#texts("transfer-loading"));
    this.#dialog.showModal();
    try {
      const path = `/api/workspace/conversations/${conversation}/destinations`;
      const { agents, queues, summary } = await this.#workspace.api?.call("GET", path);
      this.#error("");
      this.#fill(agents, queues);
      this.#summary.value = summary;
    } catch {
      this.#error(this.#texts("transfer-failed"));
    }
  }

  /** @param {Colleague[]} agents @param {Queue[]} queues */
  #fill(agents, queues) {
    const isAnybodyFree = agents.some(({ free }) => free);
    part(this.#dialog, "transfer-nobody").hidden = isAnybodyFree;
    part(this.#dialog, "transfer-agents").replaceChildren(
      // Whoever is not there could not open it in time.
      ...agents.map((agent) => this.#choice(`agent ${agent.id}`, agent.name, this.#about(agent), agent.present === false)),
    );
    part(this.#dialog, "transfer-queues").replaceChildren(
      ...queues.map(({ id, name, open, waiting }) => {
        const about = this.#texts(open ? "transfer-queue-open" : "transfer-queue-closed", { waiting });
        return this.#choice(`queue ${id}`, name, about, false);
      }),
    );
    const first = isAnybodyFree ? "input" : "[data-part=transfer-queues] input";
    const input = /** @type {HTMLInputElement | null} */ (this.#form.querySelector(`${first}:not(:disabled)`));
    if (input) {
      input.checked = true;
      input.focus();
    }
  }

  /** @param {Colleague} agent */
  #about({ availability, present, chats, capacity }) {
    const load = this.#texts("transfer-chats", { chats, capacity });
    if (present === false) return this.#texts("transfer-absent");
    const state = this.#texts(`transfer-${availability}`);
    return [state, present === null ? this.#texts("transfer-unknown") : "", load].filter(Boolean).join(" · ");
  }

  /** @param {string} value @param {string} name @param {string} about @param {boolean} isOff */
  #choice(value, name, about, isOff) {
    const label = document.createElement("label");
    label.className = "choice";
    const input = document.createElement("input");
    input.type = "radio";
    input.name = "to";
    input.value = value;
    input.disabled = isOff;
    const title = document.createElement("span");
    title.textContent = name;
    const small = document.createElement("small");
    small.textContent = about;
    label.append(input, title, small);
    return label;
  }

  #pass() {
    const [kind, id] = String(new FormData(this.#form).get("to") ?? "").split(" ");
    if (!id) {
      this.#error(this.#texts("transfer-choose"));
      return;
    }
    if (this.#conversation !== this.#workspace.subject.conversation) {
      this.#dialog.close(); // another one is on the screen by now
      return;
    }
    const number = Number(id);
    const own = this.#reason.value === "" ? this.#own.value : this.#reason.value;
    this.#dialog.close();
    this.#workspace.act("transfer", {
      to_agent: kind === "agent" ? number : null,
      to_queue: kind === "queue" ? number : null,
      reason: own.trim(),
      summary: this.#summary.value.trim(),
    });
  }

  /** @param {string} text "" for none */
  #error(text) {
    set(part(this.#dialog, "transfer-error"), text);
  }
}
