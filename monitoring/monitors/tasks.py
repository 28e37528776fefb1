"""Registers, pauses and removes monitors, and reads the state of their checks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import register
from core.engine.outcome import Outcome, OutcomeKind, done, outcome_of, retry
from core.engine.queue import enqueue
from core.errors import OutsideError
from monitoring import backends
from monitoring.choices import CheckState
from monitoring.contracts.backend import MonitorBackend, Registered
from monitoring.history.intervals import record_intervals_of
from monitoring.maintenance.services import reconcile_windows_of
from monitoring.models import BackendStatus, Monitor, MonitorCheck
from monitoring.monitors.certificates import AT_ONCE, addresses_of, checks_to_ask, write_expiries
from monitoring.monitors.readings import States, claim_page, write_page
from monitoring.monitors.services import BATCH, report_rows
from monitoring.monitors.specs import RELATED, specs_of
from orders.choices import Wanted
from orders.part_controller import OrderPartController

logger = logging.getLogger(__name__)

Visit = Callable[[MonitorBackend, Sequence[Monitor]], Mapping[int, Outcome]]


class MonitoringController(OrderPartController[Monitor]):
    """One monitor per order in the backend: enabled, paused or removed; one call of each kind for a whole batch."""

    name = "monitoring"
    model = Monitor
    lease_time = timedelta(seconds=180)
    max_attempts = 2000  # with rests of five minutes: an outage of a week heals by itself
    batch_size = BATCH
    related = RELATED

    def act_many(self, rows: Sequence[Monitor]) -> Mapping[int, Outcome]:
        """Each monitor reaches its wanted state, is retried, or fails, independently of the others."""
        visits: Mapping[Wanted, Visit] = {
            Wanted.RUNNING: _register,
            Wanted.SUSPENDED: _pause,
            Wanted.REMOVED: _remove,
        }
        outcomes: dict[int, Outcome] = {}
        for wanted, visit in visits.items():
            if selected := [row for row in rows if row.wanted == wanted]:
                outcomes |= _visit_safely(visit, selected)
        return outcomes

    def on_outcomes(self, outcomes: Sequence[tuple[Monitor, Outcome]]) -> None:
        """Pauses and activates the checks with their monitors, and reports to the orders."""
        reached = [row for row, outcome in outcomes if outcome.kind is OutcomeKind.DONE]
        now = clock.now()
        _activate_checks([row.pk for row in reached if row.wanted == Wanted.RUNNING], now)
        _pause_checks([row.pk for row in reached if row.wanted != Wanted.RUNNING], now)
        record_intervals_of([row.pk for row in reached])
        reconcile_windows_of([row.order_id for row, outcome in outcomes if _is_made(row, outcome)])
        rows = Monitor.objects.filter(pk__in=[row.pk for row, _outcome in outcomes])
        report_rows(rows, locked=[row.order for row, _outcome in outcomes])


def _is_made(row: Monitor, outcome: Outcome) -> bool:
    """True when it was created in the backend just now."""
    return outcome.fields.get("outside_id", row.outside_id) not in ("", row.outside_id)


def _visit_safely(visit: Visit, rows: Sequence[Monitor]) -> Mapping[int, Outcome]:
    """Whatever the result, the rows store which backend was asked."""
    try:
        backend = backends.get_backend()
    except OutsideError as error:
        return {row.pk: outcome_of(error) for row in rows}
    try:
        outcomes = visit(backend, rows)
    except OutsideError as error:
        outcomes = {row.pk: outcome_of(error) for row in rows}
    asked = {"backend": backend.name, "outside_url": backend.address}
    return {pk: replace(outcome, fields={**outcome.fields, **asked}) for pk, outcome in outcomes.items()}


def _register(backend: MonitorBackend, rows: Sequence[Monitor]) -> Mapping[int, Outcome]:
    answers = backend.ensure_monitors(specs_of(rows))
    return {row.pk: _registered(answers.get(row.order.key)) for row in rows}


def _registered(answer: Registered | OutsideError | None) -> Outcome:
    if isinstance(answer, OutsideError):
        return outcome_of(answer)
    if answer is None:
        return retry(_("The backend gave no answer for this monitor."))
    return done(outside_id=answer.outside_id, remark=answer.remark, next_read_at=clock.now())


def _pause(backend: MonitorBackend, rows: Sequence[Monitor]) -> Mapping[int, Outcome]:
    refused = backend.pause_monitors([row.order.key for row in rows])
    return {row.pk: outcome_of(error) if (error := refused.get(row.order.key)) else _paused() for row in rows}


def _remove(backend: MonitorBackend, rows: Sequence[Monitor]) -> Mapping[int, Outcome]:
    keys = [row.order.key for row in rows]
    refused = backend.remove_monitors(keys)
    left = backend.left_behind([key for key in keys if key not in refused])
    outcomes: dict[int, Outcome] = {}
    for row in rows:
        if error := refused.get(row.order.key):
            outcomes[row.pk] = outcome_of(error)
        elif still := left.get(row.order.key):
            names = ", ".join(f"{leftover.kind} {leftover.name}" for leftover in still)
            outcomes[row.pk] = retry(_("Still there: %(names)s.") % {"names": names})
        else:
            outcomes[row.pk] = _paused(outside_id="", remark="", watched_until=clock.now())
    return outcomes


def _paused(**fields: object) -> Outcome:
    return done(next_read_at=None, read_error="", **fields)


def _activate_checks(pks: Sequence[int], now: datetime) -> None:
    """Checks that were paused, or never read, are unknown from now on."""
    unread = Q(state=CheckState.PAUSED) | Q(state=CheckState.UNKNOWN, checked_at__isnull=True)
    MonitorCheck.objects.filter(unread, monitor__in=pks).update(
        state=CheckState.UNKNOWN, since=now, checked_at=None, failures=0, failure=None
    )
    Monitor.objects.filter(pk__in=pks, state=CheckState.PAUSED).update(state=CheckState.UNKNOWN)


def _pause_checks(pks: Sequence[int], now: datetime) -> None:
    if not pks:
        return
    active = MonitorCheck.objects.filter(monitor__in=pks).exclude(state=CheckState.PAUSED)
    active.update(state=CheckState.PAUSED, since=now, failures=0, failure=None)
    Monitor.objects.filter(pk__in=pks).update(state=CheckState.PAUSED)


def read_states() -> int:
    """Reads every monitor that is due; returns how many."""
    count = 0
    while read := read_page():
        count += read
    return count


def read_page() -> int:
    """Reads and stores one page of due monitors; returns how many."""
    backend = backends.get_backend()
    page = claim_page(backend.page)
    if not page.rows:
        return 0
    states: States = {}
    error = ""
    try:
        states = backend.read_states(specs_of(page.rows))
    except OutsideError as outside_error:
        error = str(outside_error)
        logger.warning("No reading of %s monitors: %s", len(page.rows), error)
    write_page(page, states, error=error)
    BackendStatus.objects.record(backend.name, error)
    return len(page.rows)


def read_certificates(after: int = 0) -> int:
    """Reads certificates that were not checked for a day; returns how many were read.

    A full page leaves the rest to another task, so that unreachable endpoints keep none running for long.
    """
    checks = checks_to_ask(after=after)
    addresses = addresses_of(checks)
    shown = write_expiries(checks, dict(zip(addresses, backends.read_expiries(addresses), strict=True)))
    if len(checks) == AT_ONCE:
        enqueue("monitoring.monitors.tasks.read_certificates", checks[-1].pk)
    return shown


register(MonitoringController())
