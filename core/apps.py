"""The ground as an app: it has the tables that every room shares."""

from __future__ import annotations

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """Known to Django as `lib`, the name its tables bear."""

    name = "core"
    label = "lib"

    def ready(self) -> None:
        from core.engine.schedules import Every, register_schedule  # apps must be loaded first

        register_schedule(Every(name="forget replies", task="core.api.idempotency.forget_old_replies", minutes=60))
        register_schedule(Every(name="prune task results", task="core.engine.queue.prune_results", minutes=60))
