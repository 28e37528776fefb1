"""Kit of every room's API: serializers, filters, idempotent requests."""
