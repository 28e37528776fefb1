"""Webhooks: the systems of customers and staff are sent events, signed, until they have taken them."""
