"""Backups of Geocat Live itself: its database and its stored documents in one archive."""
