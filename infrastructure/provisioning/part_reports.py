"""What an outcome of a server or a composition means for the order's part."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

from core.engine.outcome import Outcome, OutcomeKind
from orders.choices import Part, PartState, Wanted
from orders.models import OrderResource
from orders.services import Report

STATE_OF = {OutcomeKind.RETRY: PartState.WORKING, OutcomeKind.FAILED: PartState.FAILED}
WHEN_DONE = {
    Wanted.RUNNING: PartState.READY,
    Wanted.SUSPENDED: PartState.SUSPENDED,
    Wanted.REMOVED: PartState.REMOVED,
}
# The technical reason is for staff; customers read one of these: the first while a known time is waited for, as for a
# server that boots, the second when something has to be tried again.
IN_PROGRESS = {
    Wanted.RUNNING: gettext_lazy("Being set up; this can take a few minutes."),
    Wanted.SUSPENDED: gettext_lazy("Being stopped."),
    Wanted.REMOVED: gettext_lazy("Being removed."),
}
RETRYING = {
    Wanted.RUNNING: gettext_lazy("Not ready yet; retrying automatically."),
    Wanted.SUSPENDED: gettext_lazy("Not stopped yet; retrying automatically."),
    Wanted.REMOVED: gettext_lazy("Not removed yet; retrying automatically."),
}


def part_report(part: Part, row: OrderResource, outcome: Outcome[object]) -> Report:
    """The report about one row's outcome."""
    wanted = Wanted(row.wanted)
    customer_message = outcome.customer_message
    if outcome.kind is OutcomeKind.RETRY and not customer_message:
        customer_message = str((RETRYING if outcome.retry_in is None else IN_PROGRESS)[wanted])
    return Report(
        order_pk=row.order_id,
        part=part,
        state=STATE_OF.get(outcome.kind) or WHEN_DONE[wanted],
        version=row.wanted_version,
        message=outcome.message,
        is_public=not customer_message,
        customer_message=customer_message,
    )
