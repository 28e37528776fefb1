"""Chooses an order's provider, size or host, ports and addresses, and previews the choice."""
