// What HTML cannot do by itself: copy an address or a password, submit a choice at once, ask before removing.
"use strict";

const showCopyButtons = (root) => {
  if (!navigator.clipboard) return;
  root.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("span");
  const before = label.textContent;
  await navigator.clipboard.writeText(button.dataset.copy);
  label.textContent = button.dataset.copied;
  setTimeout(() => { label.textContent = before; }, 1500);
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("allauth.error", () => {
  document.getElementById("passkey_problem")?.removeAttribute("hidden");
});

document.addEventListener("htmx:load", (event) => showCopyButtons(event.detail.elt));
document.addEventListener("DOMContentLoaded", () => showCopyButtons(document));
