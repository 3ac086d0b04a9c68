// @ts-check
/** Who the customer is, why he came to people, and when he was here before. */
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { copyOf } from "./templates.js";
import { clock, day } from "./times.js";

/**
 * @typedef {{root: HTMLElement, texts: import("./texts.js").Texts, language: string,
 *   intent: (code: string) => string, copy: (text: string) => HTMLElement,
 *   reveal: (seq: number) => void, choose: (conversation: string) => void}} Tools
 *   language: of the page; intent: the name of one; copy: a button that copies a text
 * @typedef {import("./story.js").Story} Story
 */

export class CustomerPane {
  #tools;

  /** @param {Tools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {Story | null} story */
  show(story) {
    const { root, language } = this.#tools;
    const customer = story?.customer ?? null;
    set(part(root, "customer-name"), customer?.name ?? "");
    set(part(root, "customer-level"), customer?.level ?? "");
    part(root, "customer-level").hidden = !customer?.level;
    part(root, "customer-visitor").hidden = !story?.is_visitor;
    part(root, "customer-unknown").hidden = !story || story.is_visitor || customer !== null;
    set(part(root, "customer-since"), customer ? fullDate(customer.joined_on, language) : "–");
    set(part(root, "customer-country"), customer ? countryName(customer.country, language) : "–");
    this.#showHandovers(story);
    this.#showEarlier(story);
  }

  /** @param {Story | null} story */
  #showHandovers(story) {
    const { root, texts, language, intent } = this.#tools;
    const handovers = story?.handovers ?? [];
    part(root, "handovers-none").hidden = handovers.length > 0;
    draw(
      part(root, "handovers"),
      handovers.map((one) => ({ ...one, key: `${one.conversation} ${one.requested_at} ${one.because}` })),
      () => copyOf("handover-template"),
      (element, one) => {
        set(part(element, "why"), texts(`handover-${one.because}`));
        set(part(element, "at"), moment(one.requested_at, language));
        const about = [
          one.intent && intent(one.intent),
          one.queue,
          one.agent ? texts("handover-taken", { agent: one.agent }) : one.is_open && texts("handover-open"),
          one.conversation !== story?.conversation && texts("handover-other"),
        ];
        set(part(element, "about"), about.filter(Boolean).join(" · "));
        for (const name of /** @type {const} */ (["note", "summary"])) {
          part(element, name).hidden = !one[name];
          set(part(element, name), one[name]);
        }
      },
    );
  }

  /** @param {Story | null} story */
  #showEarlier(story) {
    const { root, texts, language, choose } = this.#tools;
    const earlier = story?.earlier.conversations ?? [];
    part(root, "earlier-none").hidden = earlier.length > 0;
    part(root, "earlier-more").hidden = !story?.earlier.has_more;
    draw(
      part(root, "earlier"),
      earlier.map((one) => ({ ...one, key: one.conversation })),
      (one) => {
        const element = copyOf("earlier-template");
        const link = /** @type {HTMLAnchorElement} */ (part(element, "link"));
        link.href = `#${one.conversation}`;
        link.addEventListener("click", (event) => {
          event.preventDefault();
          choose(one.conversation);
        });
        return element;
      },
      (element, one) => {
        set(part(element, "at"), moment(one.opened_at, language));
        set(part(element, "state"), one.disposition || texts(`earlier-${one.status}`));
        const about = [
          one.agent,
          texts("earlier-messages", { count: one.messages }),
          one.score && texts("earlier-score", { score: one.score }),
        ];
        set(part(element, "about"), about.filter(Boolean).join(" · "));
      },
    );
  }
}

/** @param {string} at ISO 8601 @param {string} language */
export function moment(at, language) {
  return `${day(at, new Date(), language)} ${clock(at, language)}`;
}

/** @param {string} date ISO 8601, a day without a time @param {string} language */
export function fullDate(date, language) {
  const [year, month, number] = date.split("-").map(Number);
  return new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(year, month - 1, number));
}

/** @param {string} code ISO 3166-1 alpha-2 @param {string} language */
function countryName(code, language) {
  try {
    return new Intl.DisplayNames(language, { type: "region" }).of(code) ?? code;
  } catch {
    return code; // not a country's
  }
}
