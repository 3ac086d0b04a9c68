// @ts-check
/** The demo shop's page: what a shop's own script asks of the widget (docs/embedding.md). */

const page = /** @type {any} */ (window);
page.CustomerService ??= []; // widget.js may come later

for (const button of document.querySelectorAll("[data-chat-open]")) {
  button.addEventListener("click", () => page.CustomerService.push(["open"]));
}
for (const button of document.querySelectorAll("[data-sign-out]")) {
  button.addEventListener("click", async () => {
    await page.CustomerService.push(["signOut"]);
    location.assign(/** @type {HTMLElement} */ (button).dataset.signOut ?? "/");
  });
}
