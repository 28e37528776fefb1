"""The server of an order."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from infrastructure.models.provider import Provider
from orders.models import OrderResource


class Server(OrderResource):
    """The server that an order runs on; found at its provider by the order's key."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="servers", verbose_name=_("provider"))
    outside_id = models.CharField(_("id at the provider"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=200, blank=True)
    size = models.CharField(_("size"), max_length=100, blank=True)
    adopted_key = models.CharField(
        _("adopted key"),
        max_length=200,
        blank=True,
        help_text=_("What it carries outside, if it was made for another."),
    )

    class Meta(OrderResource.Meta):
        verbose_name = _("server")
        verbose_name_plural = _("servers")
        ordering = ("-pk",)

    @property
    def key(self) -> str:
        """What the server is found by at its provider."""
        return self.adopted_key or str(self.order.key)
