"""Points in time as people read them."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format


def moment_in_words(moment: datetime, now: datetime) -> str:
    """The time in the reader's zone, such as "14:30 CEST"; with the date unless it is today."""
    local = timezone.localtime(moment)
    time = date_format(local, "H:i T")
    if local.date() == timezone.localdate(now):
        return time
    return f"{date_format(local, 'DATE_FORMAT')}, {time}"
