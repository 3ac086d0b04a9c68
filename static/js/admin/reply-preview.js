// Adds "Preview" below each reply: the text as a customer of the shop would read it.

const csrfToken = () => document.querySelector("[name=csrfmiddlewaretoken]").value;

function languageBeside(textarea) {
  const select = document.getElementById(textarea.id.replace(/-?text$/, (end) => end.replace("text", "language")));
  return select ? select.value : "";
}

function addPreview(textarea, texts) {
  if (textarea.dataset.hasPreview) return;
  textarea.dataset.hasPreview = "yes";

  const button = document.createElement("button");
  button.type = "button";
  button.className = "cs-button cs-plain";
  button.textContent = texts.previewLabel;
  const customer = document.createElement("select");
  customer.className = "cs-input";
  customer.setAttribute("aria-label", texts.previewCustomer);
  customer.hidden = true;
  const bubble = document.createElement("div");
  bubble.className = "cs-bubble";
  bubble.setAttribute("role", "status");
  bubble.hidden = true;
  const row = document.createElement("div");
  row.className = "cs-preview";
  row.append(button, customer, bubble);
  textarea.after(row);

  async function show() {
    const body = new FormData();
    body.set("text", textarea.value);
    body.set("language", languageBeside(textarea));
    body.set("customer", customer.value);
    bubble.hidden = false;
    try {
      const response = await fetch(texts.previewUrl, {
        method: "POST", body, headers: { "X-CSRFToken": csrfToken() },
      });
      const answer = await response.json();
      bubble.classList.toggle("cs-danger-text", Boolean(answer.errors));
      bubble.textContent = answer.errors ? answer.errors.join("\n") : answer.text;
      if (!answer.errors && customer.hidden && answer.customers.length) {
        customer.append(...answer.customers.map(([uid, name]) => new Option(`${name} (${uid})`, uid)));
        customer.value = answer.customer;
        customer.hidden = false;
      }
    } catch {
      bubble.textContent = texts.previewFailed;
    }
  }
  button.addEventListener("click", show);
  customer.addEventListener("change", show);
}

function addAll() {
  const panel = document.querySelector("[data-preview-url]");
  if (!panel?.dataset.previewUrl) return;
  for (const textarea of document.querySelectorAll("textarea[data-reply-text]")) {
    // The template of new inline rows is copied, with what we would have added to it.
    if (!textarea.name.includes("__prefix__")) addPreview(textarea, panel.dataset);
  }
}

document.addEventListener("DOMContentLoaded", addAll);
document.addEventListener("formset:added", addAll);
