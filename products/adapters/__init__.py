"""One package for each kind of config-repo; no Django in here."""
