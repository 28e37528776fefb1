"""The ground as an app: it has the tables that every room shares."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created


class CoreConfig(AppConfig):
    """Known to Django as `lib`, the name its tables bear."""

    name = "core"
    label = "lib"

    def ready(self) -> None:
        from core.engine.database_clock import read_clock
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first

        connection_created.connect(read_clock)
        register_schedule(Every(name="forget replies", task="core.api.idempotency.forget_old_replies", minutes=60))
        register_schedule(Every(name="prune task results", task="core.engine.queue.prune_results", minutes=60))
