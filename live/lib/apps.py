"""The library as an app: it has the tables that every room shares."""

from __future__ import annotations

from django.apps import AppConfig


class LibConfig(AppConfig):
    """live.lib, known to Django as `lib`."""

    name = "live.lib"
    label = "lib"

    def ready(self) -> None:
        from live.lib.schedules import Every, register_schedule  # apps must be loaded first

        register_schedule(Every(name="forget replies", task="live.lib.idempotency.forget_old_replies", minutes=60))
