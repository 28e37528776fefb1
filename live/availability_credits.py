"""Turns approved availability credits of monitoring into credit notes of billing, which know nothing of each other."""

from __future__ import annotations

import logging

from django.utils import translation
from django.utils.translation import gettext as _

from billing.invoicing.services import credit_order_once
from core.errors import Refusal
from monitoring.models import MonthlyReport

logger = logging.getLogger(__name__)


def credit_approved_reports() -> int:
    """Every approved credit has its credit note, once; returns how many were issued now."""
    count = 0
    approved = MonthlyReport.objects.filter(credit_state=MonthlyReport.Credit.APPROVED, credit__gt=0)
    for report in approved.select_related("order__customer").order_by("-pk")[:500]:
        with translation.override(report.order.customer.language):
            reason = _("Availability credit for %(month)s, order %(order)s") % {
                "month": f"{report.month:%Y-%m}",
                "order": report.order.reference,
            }
        try:
            note = credit_order_once(
                order=report.order, day=report.month, amount=report.credit, reason=reason, key=_key(report)
            )
        except Refusal as refusal:
            logger.warning("Credit of %s was not issued: %s", report, refusal.message)
        else:
            count += note is not None
    return count


def _key(report: MonthlyReport) -> str:
    return f"availability:{report.order.reference}:{report.month:%Y-%m}"
