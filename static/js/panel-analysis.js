// @ts-check
/**
 * What was found in long messages: summary, mood from sentence to sentence, what each is about.
 * It is also marked in the messages themselves; a number is copied with a click.
 */
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { fill } from "./links.js";
import { curve, dayAndTime, moodName, pieces, slice } from "./spans.js";
import { copyOf } from "./templates.js";

const SIZE = { width: 240, height: 56 };
/** Room to the left of the curve, for what is up and what is down. */
const AXIS = 52;
/** What somebody wants in another window, and not to read. */
const COPIED = new Set(["PHONE", "EMAIL", "ADDRESS", "ORDER_NUMBER", "TRACKING_NUMBER"]);
const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {import("./panel-customer.js").Tools & {copyText: (text: string) => void,
 *   textOf: (seq: number) => string}} Tools
 *   copyText: copies a text and says so; textOf: what a message says, "" while it is not here
 * @typedef {import("./story.js").Story} Story
 * @typedef {import("./story.js").Analysis} Analysis
 * @typedef {import("./spans.js").Entity} Entity
 */

export class AnalysisPane {
  #tools;
  #found = /** @type {Map<number, Analysis>} */ (new Map());
  #conversation = "";

  /** @param {Tools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** Whether something is still being read: then it is worth looking again. */
  get isWaiting() {
    return [...this.#found.values()].some(({ status }) => status === "PENDING" || status === "RUNNING");
  }

  /** @param {Story | null} story */
  show(story) {
    const { root, reveal } = this.#tools;
    const analyses = story?.analyses ?? [];
    this.#conversation = story?.conversation ?? "";
    this.#found = new Map(analyses.map((one) => [one.seq, one]));
    part(root, "analyses-block").hidden = analyses.length === 0;
    draw(
      part(root, "analyses"),
      analyses.map((one) => ({ ...one, key: `${this.#conversation} ${one.seq}` })),
      ({ seq }) => {
        const element = copyOf("analysis-template");
        part(element, "button").addEventListener("click", () => reveal(seq));
        return element;
      },
      (element, one) => this.#showOne(element, one),
    );
  }

  /** @param {HTMLElement} element @param {Analysis} analysis */
  #showOne(element, { seq, status, finished_at, findings }) {
    const { texts, intent, textOf } = this.#tools;
    const text = textOf(seq);
    const version = `${status} ${finished_at} ${text.length}`;
    if (element.dataset.version === version) return; // what is unfolded stays so
    element.dataset.version = version;
    set(part(element, "title"), texts("analysis-message", { seq }));
    set(part(element, "state"), findings ? "" : texts(`analysis-${status}`));
    part(element, "found").hidden = !findings;
    if (!findings) return;
    const name = moodName(findings.mood);
    const mood = part(element, "mood");
    mood.hidden = !name;
    mood.dataset.mood = name;
    set(mood, name && texts(`mood-${name}`));
    this.#drawCurve(part(element, "curve"), findings);
    const { summary } = findings;
    fillList(
      part(element, "asked"),
      summary.asked.map(([code, share]) => [document.createTextNode(`${intent(code)} ${Math.round(share * 100)}%`)]),
    );
    for (const [key, values] of /** @type {[string, string[]][]} */ ([
      ["orders", summary.orders],
      ["parcels", summary.parcels],
      ["products", summary.products],
      ["times", summary.times.map(([said, from]) => `${said} (${dayAndTime(from)})`)],
      ["amounts", summary.amounts.map(([said, amount]) => (amount && amount !== said ? `${said} (${amount})` : said))],
    ])) {
      part(element, `${key}-name`).hidden = part(element, key).hidden = values.length === 0;
      fillList(
        part(element, key),
        values.map((value) => [
          document.createTextNode(value),
          ...(key === "orders" || key === "parcels" ? [this.#tools.copy(value)] : []),
        ]),
      );
    }
    const wishes = text ? summary.wishes.map(([start, end]) => slice(text, start, end)) : [];
    part(element, "wishes-name").hidden = part(element, "wishes").hidden = wishes.length === 0;
    fillList(
      part(element, "wishes"),
      wishes.map((wish) => [document.createTextNode(wish)]),
    );
    part(element, "sentences").replaceChildren(
      ...findings.sentences.map(({ start, end, ranked, mood: felt }) => {
        const row = copyOf("analysed-sentence-template");
        set(part(row, "said"), slice(text, start, end));
        const about = [
          ranked[0]?.[1] >= 0.5 && `${intent(ranked[0][0])} ${Math.round(ranked[0][1] * 100)}%`,
          moodName(felt) && texts(`mood-${moodName(felt)}`),
        ];
        set(part(row, "about"), about.filter(Boolean).join(" · "));
        row.dataset.mood = moodName(felt);
        return row;
      }),
    );
  }

  /** @param {HTMLElement} place @param {NonNullable<Analysis["findings"]>} findings */
  #drawCurve(place, findings) {
    const { texts } = this.#tools;
    const points = curve(findings.sentences, SIZE);
    place.hidden = points.length < 2;
    if (place.hidden) return;
    const felt = findings.sentences.flatMap(({ mood }) => (mood ? [mood] : []));
    const svg = node("svg", { viewBox: `${-AXIS} -4 ${SIZE.width + AXIS + 4} ${SIZE.height + 8}`, role: "img", class: "mood-curve" });
    svg.setAttribute(
      "aria-label",
      texts("mood-curve", {
        first: texts(`mood-${moodName(felt[0])}`),
        last: texts(`mood-${moodName(felt[felt.length - 1])}`),
      }),
    );
    const middle = SIZE.height / 2;
    svg.append(
      axisName(texts("mood-positive"), 8),
      axisName(texts("mood-negative"), SIZE.height),
      node("line", { x1: 0, x2: SIZE.width, y1: middle, y2: middle, class: "mood-zero" }),
      node("polyline", { points: points.map(({ x, y }) => `${x},${y}`).join(" "), class: "mood-line" }),
      ...points.map(({ x, y }, index) =>
        node("circle", { cx: x, cy: y, r: 2.5, class: `mood-point is-${moodName(felt[index])}` }),
      ),
    );
    place.replaceChildren(svg);
  }

  // --- In the messages --------------------------------------------------------------------------

  /**
   * Mark what was found in a message, as it is drawn.
   *
   * @type {NonNullable<import("./bubbles.js").Options["decorate"]>}
   */
  decorate(element, { message, text }) {
    if (!message || message.sender !== "CUSTOMER" || message.conversation !== this.#conversation) return;
    const findings = this.#found.get(message.seq)?.findings;
    if (!findings?.entities.length) return;
    const place = part(element, "text");
    if (place.querySelector(".entity")) return;
    place.replaceChildren(
      ...pieces(text, findings.entities).map((piece) => {
        if (piece.entity) return this.#marked(piece.entity);
        const span = document.createElement("span");
        fill(span, piece.text);
        return span;
      }),
    );
  }

  /** @param {Entity} entity @returns {HTMLElement} */
  #marked({ kind, text, value }) {
    const { texts, copyText } = this.#tools;
    const isCopied = COPIED.has(kind);
    const meaning = kind === "TIME" && value.start ? ` (${dayAndTime(String(value.start))})` : "";
    const element = document.createElement(isCopied ? "span" : "mark");
    element.className = "entity";
    element.dataset.kind = kind;
    element.textContent = text;
    element.title = `${texts(`entity-${kind}`)}${meaning}`;
    if (isCopied) {
      // No <button>: an address could not go over two lines.
      element.role = "button";
      element.tabIndex = 0;
      element.title = texts("entity-copy", { kind: texts(`entity-${kind}`) });
      const copied = String(value.number ?? text);
      element.addEventListener("click", () => copyText(copied));
      element.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        copyText(copied);
      });
    }
    return element;
  }
}

/** @param {Element} list @param {Node[][]} items */
function fillList(list, items) {
  list.replaceChildren(
    ...items.map((nodes) => {
      const item = document.createElement("li");
      item.append(...nodes);
      return item;
    }),
  );
}

/** @param {string} text @param {number} y @returns {SVGElement} */
function axisName(text, y) {
  const element = node("text", { x: 8 - AXIS, y, class: "mood-axis" });
  element.textContent = text;
  return element;
}

/** @param {string} name @param {Record<string, string | number>} attributes @returns {SVGElement} */
function node(name, attributes) {
  const element = /** @type {SVGElement} */ (document.createElementNS(SVG, name));
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
  return element;
}
