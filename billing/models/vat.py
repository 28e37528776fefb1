"""VAT rates and exchange rates: rows with the day from which they apply."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.iso_codes import validate_country, validate_currency


class VatRate(models.Model):
    """The standard VAT rate of a member state, from a day until the next row of that state."""

    country = models.CharField(_("country"), max_length=2, validators=[validate_country])
    valid_from = models.DateField(_("valid from"))
    rate = models.DecimalField(_("rate (%)"), max_digits=5, decimal_places=2)

    class Meta:
        verbose_name = _("VAT rate")
        verbose_name_plural = _("VAT rates")
        ordering = ("country", "-valid_from")
        constraints = (
            models.UniqueConstraint(fields=("country", "valid_from"), name="one_vat_rate_per_day"),
            models.CheckConstraint(condition=Q(rate__gte=0, rate__lte=100), name="vat_rate_is_a_percentage"),
        )

    def __str__(self) -> str:
        return f"{self.country} {self.rate.normalize():f}% ({self.valid_from})"


class ExchangeRate(models.Model):
    """What one euro is worth in another currency, as published on a day (such as by the European Central Bank)."""

    currency = models.CharField(_("currency"), max_length=3, validators=[validate_currency])
    published_on = models.DateField(_("published"))
    per_euro = models.DecimalField(_("one euro is worth"), max_digits=14, decimal_places=6)

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ("currency", "-published_on")
        constraints = (
            models.UniqueConstraint(fields=("currency", "published_on"), name="one_exchange_rate_per_day"),
            models.CheckConstraint(condition=Q(per_euro__gt=0), name="exchange_rate_positive"),
        )

    def __str__(self) -> str:
        return f"EUR 1 = {self.currency} {self.per_euro.normalize():f} ({self.published_on})"
