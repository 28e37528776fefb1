// The times that a form offers beside its clock, as the rest of the admin writes them: twenty-four hours.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (window.DateTimeShortcuts) {
    window.DateTimeShortcuts.clockHours.default_ = [["Now", -1], ["00:00", 0], ["06:00", 6], ["12:00", 12], ["18:00", 18]];
  }
});
