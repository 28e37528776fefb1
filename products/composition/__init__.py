"""A release's composition: its text, its variables, what starts of it, and the rules it has to keep."""
