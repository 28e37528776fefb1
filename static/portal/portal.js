// What HTML cannot do by itself: copy an address or a password, submit a choice at once, ask before removing,
// send a form once however often its button is clicked.
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

const SENDING_MS = 10000;
const sendOnce = (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sending) event.preventDefault();
  form.dataset.sending = "yes";
  setTimeout(() => { delete form.dataset.sending; }, SENDING_MS);
};
window.addEventListener("pageshow", () => {
  document.querySelectorAll("[data-sending]").forEach((form) => { delete form.dataset.sending; });
});

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
  if (!event.defaultPrevented) sendOnce(event);
});

document.addEventListener("allauth.error", () => {
  document.getElementById("passkey_problem")?.removeAttribute("hidden");
});

document.addEventListener("htmx:load", (event) => showCopyButtons(event.detail.elt));
document.addEventListener("DOMContentLoaded", () => showCopyButtons(document));
