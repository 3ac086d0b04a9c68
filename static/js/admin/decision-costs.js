// Shows what the costs in the form lead to while they are changed; nothing is saved.

const PAUSE_MS = 300; // after the last key, before the server is asked

function follow(form) {
  const outcome = document.getElementById("outcome");
  let timer = 0;
  let asked = 0;

  async function show() {
    const mine = ++asked;
    if (!form.checkValidity()) return;
    const body = new FormData(form);
    body.set("preview", "1");
    body.set("fragment", "1");
    const isOpen = outcome.querySelector("details")?.open;
    outcome.setAttribute("aria-busy", "true");
    try {
      const response = await fetch(location.pathname, { method: "POST", body });
      if (!response.ok) throw new Error(response.statusText);
      const html = await response.text();
      if (mine !== asked) return; // a later change has been asked about
      outcome.innerHTML = html; // of our own template, which escapes what it shows
      const details = outcome.querySelector("details");
      if (details && isOpen) details.open = true;
    } catch {
      outcome.textContent = form.dataset.costsFailed;
    } finally {
      if (mine === asked) outcome.removeAttribute("aria-busy");
    }
  }
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, PAUSE_MS);
  });
}

const form = document.querySelector("[data-costs]");
if (form) follow(form);
