"""How orders and availability went over the last thirty days, as numbers for two small SVGs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from core import clock
from monitoring.models import DailyAvailability
from orders.models import Order

DAYS = 30
WIDTH, HEIGHT, STEP = 300, 60, 10
GOOD, FAIR = Decimal("99.9"), Decimal(99)
LEAST = 4
"""Of a bar, so that a bad day and a small number are seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrendBar:
    """One day, as it is drawn and as it is read."""

    x: int
    y: int
    height: int
    tone: str
    label: str
    """The day and its value: `3 Jun: 12`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """Thirty bars, and in a sentence what they show."""

    title: str
    now: str
    sentence: str
    bars: tuple[TrendBar, ...]


def order_trend() -> Trend:
    """How many orders were in service at the end of each day; one query whatever their number."""
    changes = _changes_by_day()
    counts = [sum(change for at, change in changes if at <= day) for day in last_days()]
    top = max(*counts, 1)
    bars = [
        _bar(number, share=count / top if count else 0, tone="info", day=day, value=number_format(count))
        for number, (day, count) in enumerate(zip(last_days(), counts, strict=True))
    ]
    sentence = _("%(now)s today, %(then)s thirty days ago, at most %(top)s.") % {
        "now": number_format(counts[-1]),
        "then": number_format(counts[0]),
        "top": number_format(max(counts)),
    }
    return Trend(title=_("Orders in service"), now=number_format(counts[-1]), sentence=sentence, bars=tuple(bars))


def availability_trend() -> Trend | None:
    """How available all orders were together on each day; None where nothing was measured. One query."""
    first = last_days()[0]
    rows = DailyAvailability.objects.filter(day__gte=first, closed_at__isnull=False).order_by()
    sums = {row["day"]: row for row in rows.values("day").annotate(up=Sum("up"), down=Sum("down"))}
    shares = [_share(sums.get(day)) for day in last_days()]
    up, down = (sum(row[name] for row in sums.values()) for name in ("up", "down"))
    total = _share({"up": up, "down": down})
    if total is None:
        return None
    bars = [
        _availability_bar(number, day, share)
        for number, (day, share) in enumerate(zip(last_days(), shares, strict=True))
    ]
    measured = [share for share in shares if share is not None]
    sentence = _("%(total)s %% available on average, %(worst)s %% on the worst day; %(days)s days measured.") % {
        "total": number_format(total, 2),
        "worst": number_format(min(measured), 2),
        "days": len(measured),
    }
    return Trend(title=_("Availability"), now=f"{number_format(total, 2)} %", sentence=sentence, bars=tuple(bars))


def last_days() -> list[date]:
    """The last thirty days, today included."""
    today = clock.today()
    return [today - timedelta(days=DAYS - 1 - number) for number in range(DAYS)]


def _changes_by_day() -> list[tuple[date, int]]:
    """How many orders came into service on a day, and, as a negative number, how many left it; in one query."""
    orders = Order.objects.exclude(activated_at=None).order_by()
    came = orders.values(day=TruncDate("activated_at")).annotate(change=Count("pk"))
    left = orders.exclude(removed_at=None).values(day=TruncDate("removed_at")).annotate(change=Count("pk") * -1)
    return [(row["day"], row["change"]) for row in came.union(left, all=True)]


def _share(row: Mapping[str, Any] | None) -> Decimal | None:
    """The per cent of the measured time; never rounded up to a hundred."""
    measured = (row["up"] + row["down"]) if row else 0
    if row is None or not measured:
        return None
    share = round(Decimal(100 * row["up"]) / measured, 2)
    return min(share, Decimal("99.99")) if row["down"] else share


def _availability_bar(number: int, day: date, share: Decimal | None) -> TrendBar:
    if share is None:
        return _bar(number, share=1, tone="quiet", day=day, value=_("not measured"))
    tone = "good" if share >= GOOD else "warning" if share >= FAIR else "danger"
    return _bar(number, share=float(share) / 100, tone=tone, day=day, value=f"{number_format(share, 2)} %")


def _bar(number: int, *, share: float, tone: str, day: date, value: str) -> TrendBar:
    height = max(round(share * HEIGHT), LEAST) if share else 1
    label = f"{date_format(day, 'j M')}: {value}"
    return TrendBar(x=number * STEP, y=HEIGHT - height, height=height, tone=tone, label=label)


def trends(*, sees_availability: bool) -> Sequence[Trend]:
    """What the dashboard draws, two queries at most."""
    availability = availability_trend() if sees_availability else None
    return [order_trend(), *([availability] if availability else [])]
