// @ts-check
/** Above a conversation that was passed on: by whom, why, and what he thought one should know. */
import { part, set } from "./bubbles.js";

export class PassedOn {
  #workspace;
  #texts;
  #of = ""; // conversation, status and who has it: with another one, another agent may have left something

  /** @param {import("./workspace.js").CsWorkspace} workspace */
  constructor(workspace) {
    this.#workspace = workspace;
    this.#texts = workspace.texts;
    workspace.addEventListener("subject", () => {
      const { conversation, status, entry, timeline } = workspace.subject;
      const of = conversation ? `${conversation} ${status} ${entry?.agent ?? timeline?.agent ?? ""}` : "";
      if (of === this.#of) return;
      const isOther = !this.#of.startsWith(conversation ?? " ");
      this.#of = of;
      if (isOther) part(workspace, "passed-on").hidden = true;
      if (conversation && (status === "AGENT" || status === "WAITING")) void this.#load(conversation, of);
      else part(workspace, "passed-on").hidden = true;
    });
  }

  /** @param {string} conversation @param {string} of */
  async #load(conversation, of) {
    const view = part(this.#workspace, "passed-on");
    try {
      const path = `/api/workspace/conversations/${conversation}/passed-on`;
      const left = await this.#workspace.api?.call("GET", path);
      if (of !== this.#of) return;
      view.hidden = left.passed_at === null;
      if (view.hidden) return;
      const reason = left.reason || this.#texts("passed-on-no-reason");
      const key = left.passed_by ? "passed-on-by" : "passed-on";
      set(part(view, "passed-by"), this.#texts(key, { agent: left.passed_by, reason }));
      set(part(view, "passed-summary"), left.summary);
    } catch {
      // The messages themselves are there.
    }
  }
}
