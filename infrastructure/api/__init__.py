"""Servers and services under `/api/v1/`."""
