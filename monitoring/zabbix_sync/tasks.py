"""What workers bring in by the clock beyond the readings: problems, the watcher's own figures, and what was missed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.errors import OutsideError
from monitoring import backends
from monitoring.contracts.history_source import Figure, Teller
from monitoring.history.backfill import REMEMBERED, fill_gaps, note_brief
from monitoring.history.intervals import orders_of_keys
from monitoring.models import Watcher, WatchFigure
from monitoring.monitors.tasks import read_states
from monitoring.zabbix_sync.problems import write_problems

logger = logging.getLogger(__name__)

# A failure that goes on while we look is over, perhaps, when we look again.
LOOK_AGAIN = timedelta(minutes=15)


def read_problems() -> int:
    """Our rows hold the problems that go on; returns how many."""
    return _ask(_read_problems)


def read_figures() -> int:
    """Our rows hold the watcher's own figures of this period and the last; returns how many."""
    return _ask(_read_figures)


def read_pushed() -> int:
    """What was pushed has been read, with whatever else is due, and the problems too; returns how many monitors."""
    count = read_states()
    read_problems()
    return count


def look_back() -> int:
    """What came and went between two readings, or while nobody read, is in our history; returns how many gaps."""
    return _ask(_look_back)


def test_watch() -> str:
    """The watcher's row says who answered, and what we may do there, or why nobody did."""
    watch, teller = backends.get_watch(), backends.get_teller()
    try:
        lines = [watch.test_connection(), *(teller.describe() if teller else ())]
        words, error = "\n".join(lines), ""
    except OutsideError as outside_error:
        words, error = _("Failed: %(error)s") % {"error": outside_error}, str(outside_error)
    Watcher.objects.note(watch.backend, error)
    Watcher.objects.filter(backend=watch.backend).update(said=words, tested_at=clock.now(), address=watch.address)
    return words


def _ask(act: Callable[[Teller], int]) -> int:
    """Asks whoever remembers, and remembers how that went; where nobody does, there is nothing to ask."""
    teller = backends.get_teller()
    if teller is None:
        return 0
    try:
        count = act(teller)
    except OutsideError as error:
        logger.warning("%s told nothing: %s", teller.backend, error)
        Watcher.objects.note(teller.backend, str(error))
        return 0
    Watcher.objects.note(teller.backend)
    return count


def _read_problems(teller: Teller) -> int:
    count = write_problems(teller.read_problems())
    Watcher.objects.filter(backend=teller.backend).update(problems_read_at=clock.now())
    return count


def _read_figures(teller: Teller) -> int:
    figures = teller.read_figures()
    orders = orders_of_keys({one.key for one in figures})
    rows = {(row.order_id, row.started_at): row for one in figures if (row := _figure(one, orders.get(one.key)))}
    WatchFigure.objects.write(list(rows.values()))
    Watcher.objects.filter(backend=teller.backend).update(figures_read_at=clock.now())
    return len(rows)


def _figure(one: Figure, order: int | None) -> WatchFigure | None:
    if order is None:
        return None
    return WatchFigure(
        order_id=order,
        started_at=one.start,
        ended_at=one.end,
        uptime=one.uptime,
        downtime=one.downtime,
        read_at=clock.now(),
    )


def _look_back(teller: Teller) -> int:
    now = clock.now()
    row, _made = Watcher.objects.get_or_create(backend=teller.backend)
    since = max((row.past_read_until or now) - LOOK_AGAIN, now - REMEMBERED)
    note_brief(teller.read_brief(since=since))
    Watcher.objects.filter(pk=row.pk).update(past_read_until=now)
    return fill_gaps(teller)
