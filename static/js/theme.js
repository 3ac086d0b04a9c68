// Light or dark, before the first paint: loaded in <head> without `type=module` on purpose.
(() => {
  const KEY = "customer-service.theme";
  const system = matchMedia("(prefers-color-scheme: dark)");
  // A shop's page says which theme it has, for the chat in its frame.
  const asked = new URLSearchParams(location.search).get("theme") ?? "";
  const chosen = () => {
    if (["light", "dark"].includes(asked)) return asked;
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage is forbidden: follow the system
    }
  };
  const show = () => {
    document.documentElement.dataset.theme = chosen() ?? (system.matches ? "dark" : "light");
  };
  show();
  system.addEventListener("change", show);
  addEventListener("storage", show);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-theme-toggle]")) return;
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // It holds for this page.
    }
    document.documentElement.dataset.theme = next;
  });
})();
