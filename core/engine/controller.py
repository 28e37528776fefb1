"""The mechanism that brings rows to their wanted state.

A controller claims due rows by one conditional UPDATE, makes its one outside effect, and records the outcome: done,
retry, or failed. It is harmless when run twice, late, in parallel, or after a crash between any two lines:

1. `_claim` takes a lease; a worker that finds no row left returns at once.
2. `act` calls one adapter, outside any transaction; `act_many` does so where the outside takes many rows in one call.
3. `_record` writes the outcome only where the lease is still held, and calls `on_outcomes` in the same transaction.

What is sent row by row is recorded row by row, and no visit begins when the lease is nearly over. A lost queue message,
a killed worker and an expired lease are all the same case: the row is due again.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any, ClassVar, Generic, Never, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Case, Count, DateTimeField, F, Min, Q, Value, When

from core import clock
from core.engine.outcome import Outcome, OutcomeKind, S, failed, outcome_of
from core.engine.queue import ORDERS, Call, enqueue_calls
from core.errors import OutsideError
from core.lease import Lease, new_lease
from core.log_context import logging_with
from core.models import Resource

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Resource)

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=5)
# The part of a lease that must be left for another visit to begin: the queue ends a task at nine tenths of it.
LEASE_KEPT_IN_HAND = 0.5


class Controller(Generic[R, S]):
    """Brings the rows of one model to their wanted state; subclass, define `act`, and `register` one instance."""

    name: ClassVar[str]
    queue: ClassVar[str] = ORDERS
    model: type[R]
    lease_time = timedelta(seconds=120)
    max_attempts = 60
    batch_size = 1
    related: tuple[str, ...] = ()

    def act(self, row: R) -> Outcome[S]:
        """Make the one outside effect for `row`; raises OutsideError when the outside refuses."""
        raise NotImplementedError

    def act_each(self, rows: Sequence[R]) -> Generator[tuple[R, Outcome[S]], None, None]:
        """Visit `rows` in their order; each outcome is recorded before the next visit begins.

        Override it to share a connection between the visits; an OutsideError then ends all that are left.
        """
        for row in rows:
            yield row, self._act_safely(row)

    def act_many(self, rows: Sequence[R]) -> Mapping[int, Outcome[S]] | None:
        """The outcomes, by primary key, of one call for all `rows`; override only where the outside takes many."""
        return None

    def lock_related(self, rows: Sequence[R]) -> None:
        """Lock, before the rows themselves, what `on_outcomes` will write besides.

        Code that reconciles orders locks the order first and its rows after; recording keeps that sequence, or the two
        would deadlock.
        """

    def on_outcomes(self, outcomes: Sequence[tuple[R, Outcome[S]]]) -> None:
        """Called inside the transaction that records `outcomes`, with those rows only whose lease is still held."""

    def on_lost_lease(self, row: R) -> None:
        """Called instead when the lease was lost before its outcome could be recorded; nothing has to be done.

        Override it where the last effect outside counts, and this visit's may have come after that of a later one.
        """

    @property
    def holds_for(self) -> timedelta:
        """How long one visit may hold a row: its lease, but never longer than the queue lets a task run."""
        return min(self.lease_time, timedelta(seconds=settings.TASK_TIMEOUT))

    def run(self, pks: Sequence[int] | None = None) -> int:
        """Up to `batch_size` due rows (of `pks`, or any) were visited once; returns how many were claimed."""
        lease, rows = self._claim(pks)
        self._record(lease, [(row, self._give_up(row)) for row in rows if row.attempts > self.max_attempts])
        fresh = [row for row in rows if row.attempts <= self.max_attempts]
        if not fresh:
            return len(rows)
        if (outcomes := self.act_many(fresh)) is not None:
            self._record(lease, [(row, outcomes[row.pk]) for row in fresh])
        else:
            self._visit_each(lease, fresh)
        return len(rows)

    def _visit_each(self, lease: Lease, rows: Sequence[R]) -> None:
        left = {row.pk: row for row in rows}
        try:
            with closing(self.act_each(rows)) as visits:
                for row, outcome in visits:
                    del left[row.pk]
                    self._record(lease, [(row, outcome)])
                    if lease.time_left < self.holds_for * LEASE_KEPT_IN_HAND:
                        break
        except OutsideError as error:
            self._record(lease, [(row, outcome_of(error)) for row in left.values()])
        except Exception:
            left.pop(next(iter(left), 0), None)  # the row that was being visited stays held until its lease is over
            self._release(lease, left)
            raise
        else:
            self._release(lease, left)

    def _release(self, lease: Lease, pks: Iterable[int]) -> None:
        """Rows that were claimed and not visited are due again, as if nothing had been."""
        if pks := list(pks):
            rows = self.model._default_manager.filter(pk__in=pks)
            lease.held(rows).update(leased_until=None, queued_at=None, attempts=F("attempts") - 1)

    def _claim(self, pks: Sequence[int] | None) -> tuple[Lease, list[R]]:
        lease, now = new_lease(self.holds_for), clock.now()
        if pks is None or self.batch_size > 1:
            pks = list(self._due(now).order_by("next_attempt_at").values_list("pk", flat=True)[: self.batch_size])
        if not pks or not lease.claim(self._due(now).filter(pk__in=pks), attempts=F("attempts") + 1):
            return lease, []
        rows: Any = self.model._default_manager.filter(pk__in=pks)
        return lease, list(lease.held(rows).select_related(*self.related).order_by("next_attempt_at", "pk"))

    def due_rows(self, now: datetime) -> tuple[int, datetime | None]:
        """How many rows have something to do now, and since when the first of them; one query."""
        found = self._due(now).order_by().aggregate(count=Count("pk"), since=Min("next_attempt_at"))
        return found["count"], found["since"]

    def _due(self, now: datetime) -> Any:
        return self.model._default_manager.due(now)

    def _act_safely(self, row: R) -> Outcome[S]:
        try:
            with logging_with(row=f"{self.name} {row.pk}", **self._order_of(row)):
                return self.act(row)
        except OutsideError as error:
            return outcome_of(error)
        except Exception as error:
            # A bug is not caught: it goes to the worker's log; the lease and max_attempts bound its repetition.
            self.model._default_manager.filter(pk=row.pk).update(
                last_error=f"Unexpected {type(error).__name__}: see the worker's log"
            )
            raise

    def _order_of(self, row: R) -> dict[str, object]:
        """For the log: the reference of the row's order, where it was loaded with the row."""
        order = row._state.fields_cache.get("order")
        return {"order": order.reference} if order else {}

    def _give_up(self, row: R) -> Outcome[Never]:
        return failed(row.last_error or f"Gave up after {self.max_attempts} attempts without a result.")

    def _record(self, lease: Lease, outcomes: Sequence[tuple[R, Outcome[S]]]) -> None:
        if not outcomes:
            return
        with transaction.atomic():
            self.lock_related([row for row, _outcome in outcomes])
            held = [(row, outcome) for row, outcome in outcomes if self._write(row, lease, outcome)]
            if held:
                self.on_outcomes(held)
            kept = {row.pk for row, _outcome in held}
            for row, _outcome in outcomes:
                if row.pk not in kept:
                    self.on_lost_lease(row)

    def _write(self, row: R, lease: Lease, outcome: Outcome[S]) -> bool:
        now = clock.now()
        backoff = self._backoff(row, outcome) if outcome.kind is OutcomeKind.RETRY else None
        # A change of mind meanwhile has raised wanted_version: then the row stays due.
        unchanged = When(wanted_version=row.wanted_version, then=Value(now + backoff if backoff is not None else None))
        columns: dict[str, Any] = {
            **outcome.fields,
            "leased_until": None,
            "queued_at": None,
            "updated_at": now,
            "next_attempt_at": Case(unchanged, default=Value(now), output_field=DateTimeField()),
        }
        if outcome.kind is OutcomeKind.RETRY:
            columns["last_error"] = outcome.message
            logger.info("%s %s is tried again in %s: %s", self.name, row.pk, backoff, outcome.message)
        else:
            columns |= {
                "attempts": 0,
                "last_error": outcome.message if outcome.kind is OutcomeKind.FAILED else "",
                "done_version" if outcome.kind is OutcomeKind.DONE else "failed_version": row.wanted_version,
            }
            if outcome.kind is OutcomeKind.FAILED:
                logger.warning("%s %s needs attention: %s", self.name, row.pk, outcome.message)
        return bool(lease.held(self.model._default_manager.filter(pk=row.pk)).update(**columns))

    def _backoff(self, row: R, outcome: Outcome[S]) -> timedelta:
        if outcome.retry_in is not None:
            return outcome.retry_in
        doublings: int = min(row.attempts - 1, 10)
        return min(FIRST_BACKOFF * (1 << doublings), LONGEST_BACKOFF)


_controllers: dict[str, Controller[Any, Any]] = {}


def register(controller: Controller[Any, Any]) -> None:
    """Make the controller available by its name to `enqueue_rows`, `work` and the sweep."""
    _controllers[controller.name] = controller


def controllers() -> list[Controller[Any, Any]]:
    """Every registered controller."""
    return list(_controllers.values())


def enqueue_rows(name: str, pks: Iterable[int]) -> None:
    """A worker will visit these rows soon; call it in the transaction that made them due."""
    controller, pks = _controllers[name], list(pks)
    if not pks:
        return
    controller.model._default_manager.filter(pk__in=pks).update(queued_at=clock.now())
    step, timeout = controller.batch_size, controller.holds_for * 0.9
    chunks = [pks[start : start + step] for start in range(0, len(pks), step)]
    calls = [Call((name, chunk), f"{name} {chunk[0]}") for chunk in chunks]
    enqueue_calls("core.engine.controller.work", calls, timeout=timeout, queue=controller.queue)


def work(name: str, pks: list[int]) -> int:
    """What a worker runs: visit these rows if they are due."""
    return _controllers[name].run(pks)


def enqueue_due() -> int:
    """Every due row without a living message on the queue is handed to the queue; returns how many.

    Machines that do so at the same moment share the rows between them: none is handed over twice.
    """
    now, count = clock.now(), 0
    lost_after = timedelta(seconds=settings.REQUEUE_AFTER)
    for controller in controllers():
        unqueued = Q(queued_at__isnull=True) | Q(queued_at__lte=now - max(lost_after, controller.holds_for))
        due = controller._due(now).filter(unqueued).order_by("next_attempt_at")
        if not due.exists():
            continue
        with transaction.atomic():
            pks = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:1000])
            enqueue_rows(controller.name, pks)
        count += len(pks)
    return count


def want(rows: Any, version: int, **fields: object) -> int:
    """Rows of a queryset below `version` are now wanted at it, with `fields`, and due; returns how many changed."""
    changed: int = rows.filter(wanted_version__lt=version).update(
        wanted_version=version, next_attempt_at=clock.now(), attempts=0, last_error="", **fields
    )
    return changed
