// Names the scrollable parts of the admin for screen readers, in the page's language.
// Runs before SimpleBar, which otherwise calls them by its English default.

const scrollLabel = document.currentScript.dataset.label;

document.addEventListener("DOMContentLoaded", () => {
  if (window.SimpleBar) window.SimpleBar.defaultOptions.ariaLabel = scrollLabel;
});
