"""Subscriptions and invoices under `/api/v1/`."""
