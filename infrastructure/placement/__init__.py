"""Where an order goes: provider, size or host, ports and addresses, and the preview of it."""
