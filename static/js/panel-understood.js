// @ts-check
/** What the customer named, what the assistant understood, and what came of it. */
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { copyOf } from "./templates.js";

/**
 * @typedef {import("./panel-customer.js").Tools} Tools
 * @typedef {import("./story.js").Story} Story
 * @typedef {import("./story.js").Turn} Turn
 */

export class UnderstoodPane {
  #tools;

  /** @param {Tools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {Story | null} story */
  show(story) {
    this.#showNamed(story);
    const { root, reveal } = this.#tools;
    const turns = story?.turns ?? [];
    part(root, "understood-none").hidden = turns.length > 0;
    draw(
      part(root, "understood"),
      turns.map((turn) => ({ key: `${story?.conversation} ${turn.seq}`, turn })),
      ({ turn }) => {
        const element = copyOf("turn-template");
        part(element, "button").addEventListener("click", () => reveal(turn.seq));
        return element;
      },
      (element, { turn }) => this.#showTurn(element, turn),
    );
  }

  /** @param {Story | null} story */
  #showNamed(story) {
    const { root, texts, reveal } = this.#tools;
    const mentions = story?.mentions ?? [];
    part(root, "named-block").hidden = mentions.length === 0;
    draw(
      part(root, "named-list"),
      mentions.map((one) => ({ ...one, key: `${story?.conversation} ${one.kind} ${one.text}` })),
      ({ seq }) => {
        const element = copyOf("named-template");
        part(element, "button").addEventListener("click", () => reveal(seq));
        return element;
      },
      (element, { kind, text, meaning, seq }) => {
        element.dataset.kind = kind;
        set(part(element, "kind"), texts(`mention-${kind}`));
        set(part(element, "text"), text);
        part(element, "button").title = texts("panel-message", { seq, text: meaning || text });
      },
    );
  }

  /** @param {HTMLElement} element @param {Turn} turn */
  #showTurn(element, turn) {
    const { texts, intent } = this.#tools;
    set(part(element, "said"), turn.text);
    part(element, "button").title = texts("panel-message", { seq: turn.seq, text: turn.text });
    const share = turn.probability === null ? "" : ` ${Math.round(turn.probability * 100)}%`;
    set(part(element, "meant"), turn.intent ? `${intent(turn.intent)}${share}` : texts("not-understood"));
    const meant = turn.meant && intent(turn.meant);
    const outcome = turn.outcome
      ? texts(`outcome-${turn.outcome}`, { meant })
      : turn.decision && texts(`decision-${turn.decision}`);
    const rated = turn.rating && texts(turn.rating > 0 ? "outcome-up" : "outcome-down");
    set(part(element, "outcome"), [outcome, rated].filter(Boolean).join(" · "));
    part(element, "answer").hidden = !turn.answer;
    set(part(element, "answer"), turn.answer && texts("answer-was", { text: turn.answer }));
  }
}
