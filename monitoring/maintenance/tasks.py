"""Registers maintenance windows with the monitoring backend, and removes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, retry
from core.errors import OutsideError, TransientError
from monitoring import backends
from monitoring.contracts.backend import WindowSpec
from monitoring.models import Maintenance
from orders.models import Order

BACKOFF = timedelta(minutes=10)  # after a refusal: a window would be over before staff retry it


class WindowController(Controller[Maintenance]):
    """Scheduled windows and those in progress are registered with the backend; finished ones are not."""

    name = "windows"
    model = Maintenance
    lease_time = timedelta(seconds=180)
    max_attempts = 2000
    batch_size = 200

    def act_many(self, rows: Sequence[Maintenance]) -> Mapping[int, Outcome]:
        """Each window is registered or removed, or retried, independently of the others."""
        ahead = [row for row in rows if row.is_unfinished]
        over = [row for row in rows if not row.is_unfinished]
        return {**_ensure(ahead), **_remove(over)}


def _ensure(rows: Sequence[Maintenance]) -> Mapping[int, Outcome]:
    if not rows:
        return {}
    try:
        answers = backends.get_backend().ensure_windows(_specs(rows))
    except OutsideError as error:
        return {row.pk: _retry(error) for row in rows}
    return {row.pk: _outcome(answers.get(row.key, "")) for row in rows}


def _remove(rows: Sequence[Maintenance]) -> Mapping[int, Outcome]:
    if not rows:
        return {}
    try:
        refused = backends.get_backend().remove_windows([row.key for row in rows])
    except OutsideError as error:
        return {row.pk: _retry(error) for row in rows}
    return {row.pk: _outcome(refused.get(row.key, "")) for row in rows}


def _outcome(answer: str | OutsideError) -> Outcome:
    return _retry(answer) if isinstance(answer, OutsideError) else done(outside_id=answer)


def _retry(error: OutsideError) -> Outcome:
    return retry(str(error), retry_in=error.retry_in if isinstance(error, TransientError) else BACKOFF)


def _specs(rows: Sequence[Maintenance]) -> list[WindowSpec]:
    """One spec per window; two queries for all their orders."""
    orders: dict[int, list[int]] = defaultdict(list)
    named = Order.objects.filter(maintenances__in=rows).order_by("pk")
    for window, order in named.values_list("maintenances", "pk"):
        orders[window].append(order)
    keys = {order.pk: order.key for order in Order.objects.filter(maintenances__in=rows).distinct()}
    return [
        WindowSpec(
            key=row.key,
            title=row.title,
            description=row.description,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            monitors=tuple(keys[order] for order in orders[row.pk]),
        )
        for row in rows
    ]


register(WindowController())
