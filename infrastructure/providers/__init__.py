"""Whether a provider answers, and what it offers."""
