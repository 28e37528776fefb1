// The page of an order that is on its way keeps up with it: no reload by hand, nothing moved under the keyboard.
"use strict";

(() => {
  const EVERY = 4000;
  const moving = (page) => page.querySelector("[data-on-its-way]") !== null;

  const replaceParts = (fresh) => {
    document.querySelectorAll("[data-live]").forEach((old) => {
      const part = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
      if (part && !old.contains(document.activeElement) && part.innerHTML !== old.innerHTML) {
        old.innerHTML = part.innerHTML;
      }
    });
  };

  const settle = () => {
    // Other actions are offered now; who is on one of them with the keyboard keeps it.
    if (document.activeElement === document.body) window.location.reload();
  };

  const look = async () => {
    if (document.hidden) return wait();
    try {
      const answer = await fetch(window.location.href, { credentials: "same-origin" });
      if (answer.redirected || answer.status === 403) return; // signed out
      if (!answer.ok) return wait();
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      replaceParts(fresh);
      if (moving(fresh)) wait(); else settle();
    } catch {
      wait(); // the site is being restarted, or the network is away
    }
  };

  const wait = () => { window.setTimeout(look, EVERY); };

  document.addEventListener("DOMContentLoaded", () => { if (moving(document)) wait(); });
})();
