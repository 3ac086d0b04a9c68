// @ts-check
/** What the customer bought, how far it is, and what he was promised. */
import { part, set } from "./bubbles.js";
import { draw } from "./keyed.js";
import { fullDate } from "./panel-customer.js";
import { pressing, spokenOfFirst } from "./story.js";
import { copyOf } from "./templates.js";

/**
 * @typedef {import("./panel-customer.js").Tools} Tools
 * @typedef {import("./story.js").Story} Story
 * @typedef {import("./story.js").Order} Order
 */

export class OrdersPane {
  #tools;

  /** @param {Tools} tools */
  constructor(tools) {
    this.#tools = tools;
  }

  /** @param {Story | null} story */
  show(story) {
    const { root } = this.#tools;
    const orders = spokenOfFirst(story?.orders ?? []);
    part(root, "orders-none").hidden = orders.length > 0;
    part(root, "orders-visitor").hidden = !story?.is_visitor;
    part(root, "orders-empty").hidden = !story || story.is_visitor;
    part(root, "orders-more").hidden = !story?.has_more_orders;
    draw(
      part(root, "orders"),
      orders.map((order, at) => ({ key: order.number, order, isFirst: at === 0 })),
      () => copyOf("order-template"),
      (element, { order, isFirst }) => this.#update(element, order, isFirst),
    );
  }

  /** @param {HTMLElement} element @param {Order} order @param {boolean} isFirst */
  #update(element, order, isFirst) {
    const { texts, language } = this.#tools;
    const date = (/** @type {string | null} */ at) => (at ? fullDate(localDay(at), language) : "");
    // Opened once when it comes first; after that it is as the agent leaves it.
    if (String(isFirst) !== element.dataset.first) {
      element.dataset.first = String(isFirst);
      if (isFirst) /** @type {HTMLDetailsElement} */ (element.querySelector("details")).open = true;
    }
    set(part(element, "number"), order.number);
    this.#copyable(part(element, "copy-number"), order.number);
    this.#copyable(part(element, "tracking"), order.tracking_number);
    const status = part(element, "status");
    status.dataset.status = order.status;
    set(status, order.status_name);
    part(element, "named").hidden = !order.is_named;
    set(part(element, "when"), texts("order-placed", { day: date(order.placed_at) }));
    set(part(element, "total"), `${order.total} ${order.currency}`);
    const rows = {
      duty: order.duty && `${order.duty} ${order.currency}`,
      carrier: order.carrier,
      shipped: date(order.shipped_at),
      delivered: date(order.delivered_at),
    };
    for (const [name, text] of Object.entries(rows)) {
      part(element, name).hidden = part(element, `${name}-name`).hidden = !text;
      set(part(element, name), text || "");
    }
    part(element, "tracking").hidden = part(element, "tracking-name").hidden = !order.tracking_number;
    part(element, "lines").replaceChildren(
      ...order.lines.map((line) => {
        const item = document.createElement("li");
        item.textContent = `${line.quantity} × ${line.name} · ${line.sku} · ${line.unit_price} ${order.currency}`;
        return item;
      }),
    );
    part(element, "promises-name").hidden = order.promises.length === 0;
    part(element, "promises").replaceChildren(
      ...pressing(order.promises).map((promised) => {
        const item = copyOf("promise-template");
        item.dataset.state = promised.state;
        set(part(item, "kind"), [promised.kind, promised.product].filter(Boolean).join(" · "));
        const until = fullDate(promised.until, language);
        set(part(item, "state"), texts(`promise-${promised.state}`, { day: until }));
        part(item, "text").hidden = !promised.text;
        set(part(item, "text"), promised.text);
        return item;
      }),
    );
  }

  /** @param {HTMLElement} element @param {string} text */
  #copyable(element, text) {
    if (element.dataset.text === text) return;
    element.dataset.text = text;
    element.replaceChildren(text, this.#tools.copy(text));
  }
}

/** @param {string} at ISO 8601 @returns {string} the day where the agent is, ISO 8601 */
function localDay(at) {
  const moment = new Date(at);
  const two = (/** @type {number} */ one) => String(one).padStart(2, "0");
  return `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
}
