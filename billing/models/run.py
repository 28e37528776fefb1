"""A billing run: when, over how many subscriptions, and what came of it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.models import Timestamped


class BillingRun(Timestamped):
    """One pass over what was due on a day; its counts rise with each set of invoices, in the same transaction."""

    day = models.DateField(_("billed up to"))
    due = models.PositiveIntegerField(_("due"), default=0)
    billed = models.PositiveIntegerField(_("periods billed"), default=0)
    invoices = models.PositiveIntegerField(_("invoices"), default=0)
    totals = models.JSONField(_("total"), default=dict, blank=True)  # currency -> gross, as text
    problems = models.JSONField(_("problems"), default=list, blank=True)  # [[order reference, why], …]
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("billing run")
        verbose_name_plural = _("billing runs")
        ordering = ("-pk",)
        permissions = (("start_billingrun", _("Can start a billing run")),)

    def __str__(self) -> str:
        return f"{self.day} · {self.pk}"
