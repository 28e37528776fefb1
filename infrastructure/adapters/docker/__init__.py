"""Docker Engine: compositions launched on it, what runs, what it uses, and what is left behind."""
