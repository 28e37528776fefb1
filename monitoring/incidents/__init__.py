"""Incidents: opened and resolved with outages or by staff, with updates for customers."""
