"""The sandbox: the one outside that is inside."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SandboxConfig(AppConfig):
    """A cloud and a runtime whose world is two tables."""

    name = "infrastructure.sandbox"
    label = "sandbox"
    verbose_name = _("Sandbox")
