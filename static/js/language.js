// The language that the customer chose, in all of his tabs: the others follow when it is chosen in
// one. Only a choice is told, never what a page happens to come in, or tabs would take turns.
// What he has begun to write is kept (drafts.js); with chosen files or a half filled form a page
// does not follow before they have gone.
// Loaded in <head> without `type=module`: a choice may be made before modules have come.
(() => {
  const KEY = "customer-service.language";
  const FIELDS = ":is(.card:not([hidden]), dialog[open]) form:not([hidden]) :is(input, textarea)";
  let wanted = ""; // chosen in another tab, and this page does not speak it yet
  const address = new URL(location.href);
  // The cookie has it by now. In the address it would undo a later choice of another tab, at the
  // next reload. In a shop's frame there may be no cookie.
  if (address.searchParams.has("lang") && parent === window && navigator.cookieEnabled) {
    address.searchParams.delete("lang");
    history.replaceState(history.state, "", address);
  }
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[data-language-choice]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    try {
      // With the moment: to choose what was chosen before is news to the others all the same.
      localStorage.setItem(KEY, `${link.dataset.languageChoice} ${Date.now()}`);
    } catch {
      // Storage is forbidden: it holds for this page.
    }
  });
  const isFilled = (field) => (field.type === "radio" ? field.checked : field.value !== "");
  const wouldLose = (page) =>
    page.querySelector("[data-part=tray] > *") || [...page.querySelectorAll(FIELDS)].some(isFilled);
  const follow = () => {
    // The demo shop takes the widget's frame along.
    const frame = document.querySelector("#customer-service")?.shadowRoot?.querySelector("iframe");
    if (!wanted || [document, frame?.contentDocument].some((page) => page && wouldLose(page))) return;
    const other = new URL(location.href);
    other.searchParams.set("lang", wanted);
    wanted = "";
    location.replace(other);
  };
  addEventListener("storage", ({ key, newValue }) => {
    const [chosen] = key === KEY && newValue ? newValue.split(" ") : [""];
    if (!["zh", "en"].includes(chosen)) return;
    wanted = document.documentElement.lang.startsWith(chosen) ? "" : chosen;
    follow();
  });
  document.addEventListener("visibilitychange", follow);
  // The chat shows something else, once its parts have heard of it: files or a form may have been sent.
  document.addEventListener("state", () => queueMicrotask(follow), { capture: true });
})();
