"""What an order is told of its endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from infrastructure.models import Endpoint
from orders.choices import Part, PartState
from orders.part_reports import lock_orders
from orders.services import Report


def endpoint_reports(versions: Mapping[int, int]) -> list[Report]:
    """How the endpoints of each order stand, for the wish of that version.

    The orders are held first: of two workers that finish endpoints of one order, the second counts both.
    """
    lock_orders(versions)
    by_order: dict[int, list[Endpoint]] = defaultdict(list)
    for row in Endpoint.objects.filter(order__in=versions):
        by_order[row.order_id].append(row)
    return [_report(order_pk, rows, versions[order_pk]) for order_pk, rows in by_order.items()]


def _report(order_pk: int, rows: Sequence[Endpoint], version: int) -> Report:
    failed = [row for row in rows if row.has_failed]
    there = [row for row in rows if row.is_settled]
    waiting = [row for row in rows if not row.is_settled]
    if failed:
        state, words = PartState.FAILED, failed[0].last_error
    elif waiting:
        state = PartState.WORKING
        words = _("%(there)s of %(all)s addresses answer.") % {"there": len(there), "all": len(rows)}
        words = f"{words} {_said_of(waiting[0])}".strip()
    else:
        state, words = PartState.READY, _("All %(all)s addresses answer as promised.") % {"all": len(rows)}
    return Report(order_pk=order_pk, part=Part.ENDPOINTS, state=state, version=version, message=words)


def _said_of(row: Endpoint) -> str:
    return f"{row.application}: {row.public_message}" if row.failure and not row.is_ok else ""
