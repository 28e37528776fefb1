"""The report about an order's endpoints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from infrastructure.models import Endpoint
from orders.choices import Part, PartState
from orders.services import Report


def endpoint_reports(versions: Mapping[int, int]) -> list[Report]:
    """One report for each order about all its endpoints, for that version.

    Call it with the orders locked: of two workers that finish endpoints of one order, the second counts both.
    """
    by_order: dict[int, list[Endpoint]] = defaultdict(list)
    for row in Endpoint.objects.filter(order__in=versions, is_retired=False):
        by_order[row.order_id].append(row)
    return [_report(order_pk, rows, versions[order_pk]) for order_pk, rows in by_order.items()]


def _report(order_pk: int, rows: Sequence[Endpoint], version: int) -> Report:
    failed = [row for row in rows if row.has_failed]
    waiting = [row for row in rows if not row.is_settled]
    passed = len(rows) - len(waiting)
    if failed:
        state, message = PartState.FAILED, failed[0].last_error
    elif waiting:
        state = PartState.WORKING
        message = _("%(passed)s of %(all)s endpoints passed their checks.") % {"passed": passed, "all": len(rows)}
        first = waiting[0]
        if first.failure and not first.is_ok:
            message += f" {first.application}: {first.public_message}"
    else:
        state = PartState.READY
        message = ngettext("The endpoint passed its check.", "All %(all)s endpoints passed their checks.", len(rows))
        message %= {"all": len(rows)}
    return Report(order_pk=order_pk, part=Part.ENDPOINTS, state=state, version=version, message=message)
