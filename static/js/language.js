// The language that the customer chose, in all of his tabs: the others follow when it is chosen in
// one. Only a choice is told, never what a page happens to come in, or tabs would take turns.
// Loaded in <head> without `type=module`: a choice may be made before modules have come.
(() => {
  const KEY = "customer-service.language";
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
  addEventListener("storage", ({ key, newValue }) => {
    const [chosen] = key === KEY && newValue ? newValue.split(" ") : [""];
    if (!["zh", "en"].includes(chosen) || document.documentElement.lang.startsWith(chosen)) return;
    const other = new URL(location.href);
    other.searchParams.set("lang", chosen);
    location.replace(other); // what he has begun to write is kept (drafts.js)
  });
})();
