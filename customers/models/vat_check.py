"""Checks of VAT ids at VIES: one row per check, kept as evidence."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Resource
from customers.models.customer import Customer


class VatCheck(Resource):
    """A question to VIES and its answer. Until VIES answers there is no result: an outage decides nothing."""

    class Result(models.TextChoices):
        PENDING = "", _("Not answered yet")
        VALID = "valid", _("Valid")
        INVALID = "invalid", _("Not valid")

    customer = models.ForeignKey(
        Customer, on_delete=models.CASCADE, related_name="vat_checks", verbose_name=_("customer")
    )
    vat_id = models.CharField(_("VAT id"), max_length=20)
    result = models.CharField(_("result"), max_length=7, choices=Result.choices, blank=True, default="")
    checked_at = models.DateTimeField(_("answered"), null=True, blank=True)
    consultation_number = models.CharField(_("consultation number"), max_length=40, blank=True)
    name = models.CharField(_("name in the register"), max_length=300, blank=True)
    address = models.TextField(_("address in the register"), blank=True)

    class Meta(Resource.Meta):
        verbose_name = _("VAT check")
        verbose_name_plural = _("VAT checks")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("customer", "vat_id"), name="one_open_vat_check", condition=models.Q(result="")
            ),
        )

    def __str__(self) -> str:
        return self.vat_id
