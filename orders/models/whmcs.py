"""A service of WHMCS that is an order here."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from orders.choices import State
from orders.models.order import Order


class WhmcsService(Resource):
    """Which order a service of WHMCS is, and the state that WHMCS was sent last. WHMCS bills it, not we."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="whmcs_service", verbose_name=_("order"))
    service_id = models.PositiveIntegerField(_("service ID in WHMCS"), unique=True)
    client_id = models.PositiveIntegerField(_("client ID in WHMCS"))
    noted_state = models.CharField(_("state to send"), max_length=12, choices=State.choices, blank=True)
    sent_state = models.CharField(_("state sent"), max_length=12, choices=State.choices, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("WHMCS service")
        verbose_name_plural = _("WHMCS services")
        ordering = ("-pk",)
        permissions = (("serve_whmcs", _("Can run services for WHMCS through the API")),)

    def __str__(self) -> str:
        return f"WHMCS service {self.service_id}"
