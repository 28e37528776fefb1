// Names form controls for screen readers where the theme leaves them without: inline rows, dates with times, searches.
"use strict";

const CONTROLS = "input:not([type=hidden], [type=submit], [type=button]), select, textarea";

function nameOfColumn(control) {
  const cell = control.closest("td");
  const head = cell?.closest("table")?.querySelector("thead tr")?.children[cell.cellIndex];
  return head?.textContent;
}

function nameOfField(control) {
  const own = control.id && document.querySelector(`label[for="${CSS.escape(control.id)}"]`);
  const whole = control.id && document.querySelector(`label[for="${CSS.escape(control.id.replace(/_\d$/, ""))}"]`);
  return (own || whole || control.closest(".field-line, .form-row, fieldset")?.querySelector("label"))?.textContent;
}

function nameControls() {
  document.querySelectorAll(CONTROLS).forEach((control) => {
    if (control.labels?.length || control.ariaLabel || control.hasAttribute("aria-labelledby")) return;
    const name = nameOfColumn(control) || nameOfField(control) || control.placeholder;
    if (name?.trim()) control.ariaLabel = name.trim();
  });
  document.querySelectorAll(".select2-selection[role=combobox]").forEach((box) => {
    const select = box.closest(".select2-container")?.previousElementSibling;
    const name = select?.labels?.[0]?.textContent || select?.ariaLabel;
    if (!name || box.ariaLabel) return;
    box.removeAttribute("aria-labelledby");
    [box, ...box.querySelectorAll("[role=textbox]")].forEach((part) => { part.ariaLabel = name.trim(); });
  });
}

document.addEventListener("DOMContentLoaded", () => {
  nameControls();
  new MutationObserver(nameControls).observe(document.body, {childList: true, subtree: true});
});
