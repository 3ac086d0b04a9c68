// @ts-check
/** The keys of the workspace, wherever the focus is. */

const OPEN_LAYERS = CSS.supports("selector(:popover-open)") ? "dialog[open], :popover-open" : "dialog[open]";

/**
 * @param {{leave: () => void, step: (by: number) => void, act: (action: string) => void,
 *   write: () => void}} work  leave: by Escape, unless it closes something on top
 */
export function listen({ leave, step, act, write }) {
  /** By place on the keyboard: with Alt, some systems type other characters.
   * @type {Record<string, () => void>} */
  const withAlt = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    KeyT: () => act("take"),
    KeyB: () => act("hand_back"),
    KeyE: () => act("close"),
    KeyR: write,
  };
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape" && !document.querySelector(OPEN_LAYERS)) {
      leave();
      return;
    }
    const chosen = event.altKey && withAlt[event.code];
    if (!chosen) return;
    event.preventDefault();
    chosen();
  });
}
