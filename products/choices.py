"""Kinds and periods that several rooms use of products."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class PricePeriod(models.TextChoices):
    """The period that a price is for."""

    MONTH = "month", _("month")
    QUARTER = "quarter", _("quarter")
    YEAR = "year", _("year")

    @property
    def months(self) -> int:
        """Its length."""
        return {PricePeriod.MONTH: 1, PricePeriod.QUARTER: 3, PricePeriod.YEAR: 12}[self]
