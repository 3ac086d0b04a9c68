// Where the page's scripts did not arrive (a blocked file, a version that is gone), say so instead
// of waiting for ever. Loaded without `type=module` on purpose: a module that fails takes along
// those that import it.
(() => {
  const LATE_MS = 8_000;
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("[data-reload]")) location.reload();
  });
  setTimeout(() => {
    for (const root of document.querySelectorAll("cs-chat, cs-workspace")) {
      if (customElements.get(root.localName)) continue;
      const panel = root.querySelector("[data-part=late]");
      panel.hidden = false;
      root.querySelector("[data-part=loading]").hidden = true;
      // A slow network: they have come after all, and say themselves what is missing.
      customElements.whenDefined(root.localName).then(() => {
        panel.hidden = true;
      });
    }
  }, LATE_MS);
})();
