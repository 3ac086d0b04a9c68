// @ts-check
/**
 * Draw a list by key: an element that is still wanted stays where it is. Screen readers then
 * announce what is new and nothing else, and focus and selection survive.
 *
 * @template {{key: string}} Item
 * @param {Element} list
 * @param {readonly Item[]} items
 * @param {(item: Item) => HTMLElement} create
 * @param {(element: HTMLElement, item: Item) => void} update called for new elements too, before
 *   they are inserted, so that they are announced complete
 */
export function draw(list, items, create, update) {
  /** @type {Map<string, HTMLElement>} */
  const present = new Map();
  for (const element of /** @type {Iterable<HTMLElement>} */ (list.children)) {
    present.set(element.dataset.rowKey ?? "", element);
  }
  const wanted = new Set(items.map((item) => item.key));
  for (const [key, element] of present) if (!wanted.has(key)) element.remove();

  let next = list.firstElementChild;
  for (const item of items) {
    let element = present.get(item.key);
    if (!element) {
      element = create(item);
      element.dataset.rowKey = item.key;
    }
    update(element, item);
    if (element === next) next = element.nextElementSibling;
    else list.insertBefore(element, next);
  }
}
