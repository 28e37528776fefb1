"""The order: what is wanted, its parts, its state and its timeline."""
