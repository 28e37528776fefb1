"""Docker Engine: what runs, what it uses, what is left behind."""
