"""The one mechanism that brings rows where they are wanted.

A controller claims due rows by one conditional UPDATE, makes its one outside effect, and records how that ended: done,
retry, or failed. It is harmless when run twice, late, in parallel, or after a crash between any two lines:

1. `_claim` takes a lease; whoever finds no row left returns at once.
2. `act` (or `act_many`) calls one adapter, outside any transaction.
3. `_record` writes the ending only where the lease is still ours, and tells the room in the same transaction.

A lost queue message, a killed worker and an expired lease are all the same case: the row is due again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import Case, DateTimeField, F, Q, Value, When

from core import clock
from core.engine.lease import Lease, new_lease
from core.engine.queue import enqueue
from core.errors import OutsideError, TransientError
from core.models import Resource

logger = logging.getLogger(__name__)

R = TypeVar("R", bound=Resource)

FIRST_BACKOFF = timedelta(seconds=2)
LONGEST_BACKOFF = timedelta(minutes=5)


class Kind(Enum):
    """How one visit to a row ended."""

    DONE = "done"
    RETRY = "later"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one visit achieved.

    `fields` are the row's own columns to write with it; `seen` is whatever else `on_outcomes` needs to know; `told` is
    what customers read instead of the message.
    """

    kind: Kind
    message: str = ""
    retry_in: timedelta | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    seen: object = None
    told: str = ""


def done(message: str = "", /, *, seen: object = None, **fields: object) -> Outcome:
    """The row is where it was wanted."""
    return Outcome(kind=Kind.DONE, message=message, fields=fields, seen=seen)


def retry(message: str, /, *, retry_in: timedelta | None = None, **fields: object) -> Outcome:
    """Not yet; the row rests for `retry_in`, or for a doubling while."""
    return Outcome(kind=Kind.RETRY, message=message, retry_in=retry_in, fields=fields)


def failed(message: str, /, **fields: object) -> Outcome:
    """Not until a person has acted."""
    return Outcome(kind=Kind.FAILED, message=message, fields=fields)


def outcome_of(error: OutsideError) -> Outcome:
    """What the outside's no means for the row: another try, or a person."""
    return retry(str(error), retry_in=error.retry_in) if isinstance(error, TransientError) else failed(str(error))


class Controller(Generic[R]):
    """Brings the rows of one model where they are wanted; subclass, say `act`, and `register` one."""

    name: ClassVar[str]
    model: type[R]
    lease_time = timedelta(seconds=120)
    max_attempts = 60
    batch_size = 1
    related: tuple[str, ...] = ()

    def act(self, row: R) -> Outcome:
        """Make the one outside effect for `row`; raises OutsideError when the outside says no."""
        raise NotImplementedError

    def act_many(self, rows: Sequence[R]) -> Mapping[int, Outcome]:
        """The endings of `rows` by primary key; override where the outside takes many at once."""
        return {row.pk: self._act_safely(row) for row in rows}

    def lock_related(self, rows: Sequence[R]) -> None:
        """Lock, before the rows themselves, what `on_outcomes` will write beside them.

        Whoever follows orders locks the order first and its rows after; recording keeps that sequence, or two that meet
        would wait for each other.
        """

    def on_outcomes(self, outcomes: Sequence[tuple[R, Outcome]]) -> None:
        """Tell the room, inside the transaction that records `outcomes`; only rows whose lease held are here."""

    @property
    def holds_for(self) -> timedelta:
        """How long one visit may hold a row: its lease, but never longer than the queue lets a task run."""
        return min(self.lease_time, timedelta(seconds=settings.TASK_TIMEOUT))

    def run(self, pks: Sequence[int] | None = None) -> int:
        """Up to `batch_size` due rows (of `pks`, or any) were visited once; returns how many."""
        lease, rows = self._claim(pks)
        if not rows:
            return 0
        fresh = [row for row in rows if row.attempts <= self.max_attempts]
        outcomes = {row.pk: self._give_up(row) for row in rows if row.attempts > self.max_attempts}
        if fresh:
            outcomes |= self.act_many(fresh)
        self._record(lease, [(row, outcomes[row.pk]) for row in rows])
        return len(rows)

    def _claim(self, pks: Sequence[int] | None) -> tuple[Lease, list[R]]:
        lease, now = new_lease(self.holds_for), clock.now()
        if pks is None or self.batch_size > 1:
            pks = list(self._due(now).order_by("next_attempt_at").values_list("pk", flat=True)[: self.batch_size])
        if not pks or not lease.claim(self._due(now).filter(pk__in=pks), attempts=F("attempts") + 1):
            return lease, []
        rows: Any = self.model._default_manager.filter(pk__in=pks)
        return lease, list(lease.held(rows).select_related(*self.related))

    def _due(self, now: datetime) -> Any:
        return self.model._default_manager.due(now)

    def _act_safely(self, row: R) -> Outcome:
        try:
            return self.act(row)
        except OutsideError as error:
            return outcome_of(error)
        except Exception as error:
            # A bug: it flies on to the worker's log; the lease and max_attempts bound it.
            self.model._default_manager.filter(pk=row.pk).update(
                last_error=f"Unexpected {type(error).__name__}: see the worker's log"
            )
            raise

    def _give_up(self, row: R) -> Outcome:
        return failed(row.last_error or f"Given up after {self.max_attempts} attempts without an ending.")

    def _record(self, lease: Lease, outcomes: Sequence[tuple[R, Outcome]]) -> None:
        with transaction.atomic():
            self.lock_related([row for row, _ending in outcomes])
            held = [(row, outcome) for row, outcome in outcomes if self._write(row, lease, outcome)]
            if held:
                self.on_outcomes(held)

    def _write(self, row: R, lease: Lease, outcome: Outcome) -> bool:
        now = clock.now()
        backoff = self._backoff(row, outcome) if outcome.kind is Kind.RETRY else None
        # A change of mind meanwhile has raised wanted_version: then the row stays due.
        unchanged = When(wanted_version=row.wanted_version, then=Value(now + backoff if backoff is not None else None))
        columns: dict[str, Any] = {
            **outcome.fields,
            "leased_until": None,
            "queued_at": None,
            "updated_at": now,
            "next_attempt_at": Case(unchanged, default=Value(now), output_field=DateTimeField()),
        }
        if outcome.kind is Kind.RETRY:
            columns["last_error"] = outcome.message
            logger.info("%s %s is tried again in %s: %s", self.name, row.pk, backoff, outcome.message)
        else:
            columns |= {
                "attempts": 0,
                "last_error": outcome.message if outcome.kind is Kind.FAILED else "",
                "done_version" if outcome.kind is Kind.DONE else "failed_version": row.wanted_version,
            }
            if outcome.kind is Kind.FAILED:
                logger.warning("%s %s needs attention: %s", self.name, row.pk, outcome.message)
        return bool(lease.held(self.model._default_manager.filter(pk=row.pk)).update(**columns))

    def _backoff(self, row: R, outcome: Outcome) -> timedelta:
        if outcome.retry_in is not None:
            return outcome.retry_in
        doublings: int = min(row.attempts - 1, 10)
        return min(FIRST_BACKOFF * (1 << doublings), LONGEST_BACKOFF)


_controllers: dict[str, Controller[Any]] = {}


def register(controller: Controller[Any]) -> None:
    """The controller answers to its name in `enqueue_rows`, `work` and the sweep."""
    _controllers[controller.name] = controller


def controllers() -> list[Controller[Any]]:
    """Every registered controller."""
    return list(_controllers.values())


def enqueue_rows(name: str, pks: Iterable[int]) -> None:
    """A worker will visit these rows soon; call it in the transaction that made them due."""
    controller, pks = _controllers[name], list(pks)
    if not pks:
        return
    controller.model._default_manager.filter(pk__in=pks).update(queued_at=clock.now())
    step = controller.batch_size
    for start in range(0, len(pks), step):
        some = pks[start : start + step]
        enqueue("core.engine.controller.work", name, some, name=f"{name} {some[0]}", timeout=controller.holds_for * 0.9)


def work(name: str, pks: list[int]) -> int:
    """What a worker runs: visit these rows if they are due."""
    return _controllers[name].run(pks)


def enqueue_due() -> int:
    """Every due row that no living queue message speaks for is handed to the queue; returns how many."""
    now, count = clock.now(), 0
    lost_after = timedelta(seconds=settings.REQUEUE_AFTER)
    for controller in controllers():
        unspoken = Q(queued_at__isnull=True) | Q(queued_at__lte=now - max(lost_after, controller.holds_for))
        due = controller._due(now).filter(unspoken).order_by("next_attempt_at")
        pks = list(due.values_list("pk", flat=True)[:1000])
        with transaction.atomic():
            enqueue_rows(controller.name, pks)
        count += len(pks)
    return count


def want(rows: Any, version: int, **fields: object) -> int:
    """Rows of a queryset below `version` are now wanted at it, with `fields`, and due; returns how many changed."""
    changed: int = rows.filter(wanted_version__lt=version).update(
        wanted_version=version, next_attempt_at=clock.now(), attempts=0, last_error="", **fields
    )
    return changed
