"""API tokens: what they may be used for."""
