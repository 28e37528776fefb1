"""The parts of an order, as the rooms above report them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped
from orders.choices import Part, PartState
from orders.lifecycle import ReportedPart
from orders.models.order import Order


class OrderPart(Timestamped):
    """The last report on one part of an order, and the order's version that it answers."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="parts", verbose_name=_("order"))
    part = models.CharField(_("part"), max_length=12, choices=Part.choices)
    state = models.CharField(_("state"), max_length=12, choices=PartState.choices)
    version = models.PositiveIntegerField(_("version"))
    message = models.TextField(_("message"), blank=True)
    customer_message = models.TextField(
        _("message for customers"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Without technical details."),
    )

    class Meta:
        verbose_name = _("part")
        verbose_name_plural = _("parts")
        constraints = (models.UniqueConstraint(fields=("order", "part"), name="part_once_per_order"),)

    def __str__(self) -> str:
        return f"{self.get_part_display()}: {self.get_state_display()}"

    @property
    def reported(self) -> ReportedPart:
        """The row as a value of `orders.lifecycle`."""
        return ReportedPart(
            part=Part(self.part),
            state=PartState(self.state),
            version=self.version,
            message=self.message,
            customer_message=self.customer_message,
        )
