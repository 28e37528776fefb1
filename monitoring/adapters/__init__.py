"""One package for each monitoring backend; no Django in here."""
