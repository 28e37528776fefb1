"""API tokens and webhooks in the portal."""
