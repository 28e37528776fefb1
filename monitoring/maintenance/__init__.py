"""Maintenance windows, here and at the backend."""
