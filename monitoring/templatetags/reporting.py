"""Times and amounts of a report as people write them."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.money import Money

register = template.Library()

MINUTE, HOUR, DAY = 60, 3600, 86400


@register.filter
def lasting(span: timedelta) -> str:
    """The two largest units: `2 d 3 h`, `1 h 5 min`, `45 s`; nothing is `0`."""
    left = int(span.total_seconds())
    parts: list[str] = []
    for size, unit in ((DAY, _("d")), (HOUR, _("h")), (MINUTE, _("min")), (1, _("s"))):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or "0"


@register.filter
def response_time(seconds: float) -> str:
    """Milliseconds below a second, seconds above."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    return f"{number_format(round(seconds, 1), decimal_pos=1)} s"


@register.filter
def percent(value: object) -> str:
    """With the sign, all its decimals, and the decimal mark of the language."""
    return f"{number_format(value)} %"  # type: ignore[arg-type]


@register.filter
def amount(money: Money) -> str:
    """With its currency."""
    return money.format(get_language() or "en")
