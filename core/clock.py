"""The only source of the current time, so that tests can set it."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.utils import timezone

logger = logging.getLogger(__name__)

TOLERANCE = timedelta(seconds=2)

_ahead = timedelta()


def now() -> datetime:
    """The present moment, aware, in UTC; on a machine whose clock is wrong, the moment of the database."""
    return timezone.now() - _ahead


def today() -> date:
    """The company's calendar day (`settings.TIME_ZONE`): what invoices are dated by."""
    return timezone.localdate(now())


def correct(reference: datetime) -> None:
    """It is `reference` by the clock that all machines share; a difference of a moment is left as it is."""
    global _ahead
    ahead = timezone.now() - reference
    if abs(ahead) <= TOLERANCE:
        ahead = timedelta()
    if abs(ahead - _ahead) > TOLERANCE:
        logger.warning(
            "The clock of this machine differs from the database's by %+.0f s; times are taken from the database.",
            ahead.total_seconds(),
        )
        _ahead = ahead
