"""The door through which Django's admin finds the pages of this room."""

from __future__ import annotations

from live.staff import admin_site, alerts_admin  # noqa: F401  (registers them)
