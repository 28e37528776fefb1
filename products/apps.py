"""The room of what is sold."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProductsConfig(AppConfig):
    """Products, their releases and their plans, as the config-repo defines them."""

    name = "products"
    verbose_name = _("Products")

    def ready(self) -> None:
        from core.engine.queue import READINGS
        from core.engine.schedules import Every, register_schedule
        from products import tasks  # noqa: F401  (registers the catalogue controller)

        register_schedule(
            Every(name="catalogue-sync", task="products.tasks.sync_catalogues", minutes=15, queue=READINGS)
        )
