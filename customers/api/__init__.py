"""Customers under `/api/v1/`."""
