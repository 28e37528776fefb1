"""The connection to a provider, and what it offers."""
