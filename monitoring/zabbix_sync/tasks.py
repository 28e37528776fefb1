"""What workers read from the backend besides readings: problems, SLI, and the history of missed periods."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.errors import OutsideError
from monitoring import backends
from monitoring.contracts.history_source import HistorySource, SliReading
from monitoring.history.backfill import REMEMBERED, backfill_history, request_backfill_of
from monitoring.history.intervals import orders_of_keys
from monitoring.models import BackendSli, BackendStatus
from monitoring.monitors.tasks import read_states
from monitoring.zabbix_sync.problems import write_problems

logger = logging.getLogger(__name__)

# A failure that is ongoing at one run may be over at the next.
OVERLAP = timedelta(minutes=15)


def read_problems() -> int:
    """Problem rows equal the active problems of the backend; returns how many."""
    return _ask(_read_problems)


def read_sli() -> int:
    """SLI rows hold the backend's figures of this period and the last; returns how many."""
    return _ask(_read_sli)


def read_pushed() -> int:
    """Pushed monitors, all others that are due, and problems are read; returns the number of monitors."""
    count = read_states()
    read_problems()
    return count


def backfill() -> int:
    """Outages between two readings, or in times without readings, are in the history; returns how many periods."""
    return _ask(_backfill)


def check_backend() -> str:
    """The backend's row holds its version and what the account may do there, or why it did not answer."""
    backend, source = backends.get_backend(), backends.get_history_source()
    try:
        lines = [backend.test_connection(), *(source.describe() if source else ())]
        report, error = "\n".join(lines), ""
    except OutsideError as outside_error:
        report, error = _("Failed: %(error)s") % {"error": outside_error}, str(outside_error)
    BackendStatus.objects.record(backend.name, error)
    BackendStatus.objects.filter(backend=backend.name).update(
        test_report=report, tested_at=clock.now(), address=backend.address
    )
    return report


def _ask(act: Callable[[HistorySource], int]) -> int:
    """Calls `act` with the history source, if there is one, and records the result of the call."""
    source = backends.get_history_source()
    if source is None:
        return 0
    try:
        count = act(source)
    except OutsideError as error:
        logger.warning("Nothing read from %s: %s", source.name, error)
        BackendStatus.objects.record(source.name, str(error))
        return 0
    BackendStatus.objects.record(source.name)
    return count


def _read_problems(source: HistorySource) -> int:
    count = write_problems(source.read_problems())
    BackendStatus.objects.filter(backend=source.name).update(problems_read_at=clock.now())
    return count


def _read_sli(source: HistorySource) -> int:
    figures = source.read_sli()
    orders = orders_of_keys({reading.key for reading in figures})
    rows = {
        (row.order_id, row.started_at): row for reading in figures if (row := _sli(reading, orders.get(reading.key)))
    }
    BackendSli.objects.write(list(rows.values()))
    BackendStatus.objects.filter(backend=source.name).update(sli_read_at=clock.now())
    return len(rows)


def _sli(reading: SliReading, order: int | None) -> BackendSli | None:
    if order is None:
        return None
    return BackendSli(
        order_id=order,
        started_at=reading.start,
        ended_at=reading.end,
        uptime=reading.uptime,
        downtime=reading.downtime,
        read_at=clock.now(),
    )


def _backfill(source: HistorySource) -> int:
    now = clock.now()
    row, _made = BackendStatus.objects.get_or_create(backend=source.name)
    since = max((row.history_read_until or now) - OVERLAP, now - REMEMBERED)
    request_backfill_of(source.read_past_problems(since=since))
    BackendStatus.objects.filter(pk=row.pk).update(history_read_until=now)
    return backfill_history(source)
