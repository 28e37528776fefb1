"""The shape of a row in an upper room that stands for a part of an order."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from orders.choices import Wanted
from orders.models.order import Order


class OrderResource(Resource):
    """A resource that follows an order: its `wanted_version` is the order's, as `orders.lifecycle` lets it move."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="%(class)s", verbose_name=_("order"))
    wanted = models.CharField(_("wanted"), max_length=10, choices=Wanted.choices, default=Wanted.RUNNING)

    class Meta(Resource.Meta):
        abstract = True

    def __str__(self) -> str:
        return str(self.order.key)
