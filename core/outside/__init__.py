"""Calls that any room may make to the outside: HTTP checks, certificates, PDFs."""
