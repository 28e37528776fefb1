"""Monitors, incidents and reports under `/api/v1/`."""
