"""Kit of every room's admin: read-only rows, confirmed actions, labels."""
