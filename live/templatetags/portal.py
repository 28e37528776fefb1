"""Amounts as the reader writes them, and icons drawn in place so that no request or inline style is needed."""

from __future__ import annotations

from babel import Locale
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from billing.models import Subscription
from core.money import Money
from live.portal.icons import ICONS
from live.portal.order_progress import PARTS, Text
from live.translations.stored_texts import in_readers_language
from orders.choices import Part
from orders.terms import Terms
from products.models import Plan

register = template.Library()


@register.filter
def money(value: Money) -> str:
    """The amount as people of the active language write it."""
    return value.format(get_language() or "en")


@register.filter
def stored(text: str) -> str:
    """A text that was stored in English, in the reader's language where it is one of ours."""
    return in_readers_language(text)


@register.filter
def part_name(part: str) -> Text:
    """What customers call a part of an order."""
    return PARTS[Part(part)]


@register.filter
def country(code: str) -> str:
    """The country's name in the active language; the code itself when nobody knows it."""
    return str(Locale.parse(get_language() or "en", sep="-").territories.get(code, code))


@register.simple_tag
def icon(name: str) -> SafeString:
    """The drawing of that name, the colour of the text around it; layers when the name is unknown."""
    return format_html(
        '<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="{}"/></svg>',
        ICONS.get(name, ICONS["layers"]),
    )


@register.filter
def setup_fee(plan: Plan | Subscription | Terms) -> Money:
    """What setting up costs, once."""
    return Money(plan.setup_fee, plan.currency)
