"""The room of servers, compositions and endpoints."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InfrastructureConfig(AppConfig):
    """Providers, servers, deployments and what answers on them."""

    name = "infrastructure"
    verbose_name = _("Infrastructure")

    def ready(self) -> None:
        from infrastructure import receivers, tasks  # noqa: F401  (both register themselves)
