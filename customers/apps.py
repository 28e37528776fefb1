"""The room of who pays, who may look, and what they are told."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CustomersConfig(AppConfig):
    """Customers, their people, and the mail to them."""

    name = "customers"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from customers import tasks  # noqa: F401  (registers the mail controller)
