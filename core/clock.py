"""The only source of the current time, so that tests can set it."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return timezone.now()


def today() -> date:
    """The company's calendar day (`settings.TIME_ZONE`): what invoices are dated by."""
    return timezone.localdate()
