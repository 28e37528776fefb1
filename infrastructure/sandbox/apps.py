"""The sandbox: a simulated cloud and runtime."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SandboxConfig(AppConfig):
    """A cloud and a runtime that are simulated in the database."""

    name = "infrastructure.sandbox"
    label = "sandbox"
    verbose_name = _("Sandbox")
