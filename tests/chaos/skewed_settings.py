"""The settings of a machine whose clock is wrong by `CLOCK_WRONG_BY` seconds.

Debian's libfaketime does not get on with Python 3.11: `time.sleep` fails under it, or locks wait for minutes longer.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from live.settings import *  # noqa: F403

WRONG_BY = timedelta(seconds=float(os.environ["CLOCK_WRONG_BY"]))


def now() -> datetime:
    """What this machine takes for the present."""
    return datetime.now(UTC) + WRONG_BY


timezone.now = now
