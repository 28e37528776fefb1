"""What staff see of an order's availability: SLA comparison, certificates, and links into Zabbix."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from monitoring.choices import Backend
from monitoring.history.measurement import company_zone, figures_of, today
from monitoring.models import BackendSli, Monitor
from monitoring.rules.availability import Span, month_span
from orders.models import Order

COMPARED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseComparison:
    """The availability of one period against the SLA: our figure and the backend's own."""

    title: str
    ours: Decimal | None
    theirs: Decimal | None = None
    promise: Decimal | None = None

    @property
    def tone(self) -> str:
        """The colour: below or above the SLA, or none."""
        if self.ours is None or self.promise is None:
            return ""
        return "success" if self.ours >= self.promise else "danger"


def promise_comparisons(order: Order) -> list[PromiseComparison]:
    """This month against the SLA; where the backend has an SLI, its periods with both figures."""
    promise = order.terms.promise
    figures = list(BackendSli.objects.filter(order=order).order_by("-started_at")[:COMPARED])
    if not figures:
        month = month_span(today(), company_zone())
        return [
            PromiseComparison(title=_month(today()), ours=_ours(order, Span(month.start, clock.now())), promise=promise)
        ]
    return [_compared(order, row, promise) for row in figures]


def _compared(order: Order, row: BackendSli, promise: Decimal | None) -> PromiseComparison:
    """Both figures of the same time, which ends where the backend's figure was read.

    Where we had no reading by then, as on an order's first day, only ours up to now.
    """
    title, end = _month(row.started_at.date()), min(row.ended_at, row.read_at)
    ours = _ours(order, Span(row.started_at, end))
    if ours is not None:
        return PromiseComparison(title=title, ours=ours, theirs=row.percentage, promise=promise)
    until_now = Span(row.started_at, min(row.ended_at, clock.now()))
    return PromiseComparison(title=title, ours=_ours(order, until_now), promise=promise)


def _ours(order: Order, period: Span) -> Decimal | None:
    return figures_of([order.pk], period)[order.pk].percentage


def _month(day: date) -> str:
    return date_format(day, "F Y")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """When a certificate expires, as text with its colour."""

    text: str
    tone: str


def expiry_of(until: datetime | None, *, now: datetime) -> Expiry | None:
    """None without a certificate, or before it was read."""
    if until is None:
        return None
    left = until - now
    if left <= timedelta(0):
        return Expiry(
            text=_("expired %(day)s") % {"day": date_format(timezone.localtime(until), "DATE_FORMAT")}, tone="danger"
        )
    text = ngettext("expires in %(days)d day", "expires in %(days)d days", left.days) % {"days": left.days}
    return Expiry(text=text, tone=_tone(left))


def _tone(left: timedelta) -> str:
    """Red when it is urgent, orange when it should be renewed."""
    if left < timedelta(days=settings.CERTIFICATE_TROUBLE_DAYS):
        return "danger"
    return "warning" if left < timedelta(days=settings.CERTIFICATE_WARN_DAYS) else ""


def links_into_zabbix(monitor: Monitor) -> Iterable[tuple[str, str]]:
    """The host's latest data and problems in Zabbix; the same URLs work in 6.0 and 7.x."""
    if monitor.backend != Backend.ZABBIX or not monitor.outside_id or not monitor.outside_url:
        return
    for action, label in (("latest.view", _("Latest data in Zabbix")), ("problem.view", _("Problems in Zabbix"))):
        # An empty filter_name takes 6.0, and filter_set 7.x, off the filter that the person used last.
        asked = {"action": action, "hostids[]": monitor.outside_id, "filter_name": "", "filter_set": "1"}
        yield f"{monitor.outside_url.rstrip('/')}/zabbix.php?{urlencode(asked)}", label
