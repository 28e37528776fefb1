"""Removals on a day to come."""
