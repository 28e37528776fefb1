"""One package for each outside system; no Django in here."""
