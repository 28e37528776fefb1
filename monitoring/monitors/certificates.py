"""Expiry of certificates, read from the endpoints once a day where the backend does not report it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from core import clock
from core.outside.certificate import address_of
from monitoring.models import MonitorCheck
from orders.choices import Wanted
from orders.part_reports import lock_orders

AT_ONCE = 500
ASK_AGAIN = timedelta(days=1)


def checks_to_ask(*, after: int = 0) -> list[MonitorCheck]:
    """The next checks of HTTPS endpoints of running orders whose certificate was not checked for a day."""
    unheard = Q(certificate_checked_at__isnull=True) | Q(certificate_checked_at__lte=clock.now() - ASK_AGAIN)
    secure = MonitorCheck.objects.filter(
        unheard, pk__gt=after, monitor__wanted=Wanted.RUNNING, endpoint__check_url__startswith="https://"
    )
    return list(secure.select_related("endpoint", "monitor").order_by("pk")[:AT_ONCE])


def addresses_of(checks: Sequence[MonitorCheck]) -> list[tuple[str, int]]:
    """The TLS addresses of these checks, each once: the endpoints of an order often share a host."""
    found = {address_of(check.endpoint.check_url) for check in checks}
    return sorted(address for address in found if address)


@transaction.atomic
def write_expiries(checks: Sequence[MonitorCheck], expiries: Mapping[tuple[str, int], datetime | None]) -> int:
    """Stores the expiry of each certificate that was read; returns how many.

    The other checks keep theirs, and are read again in the next run.
    """
    lock_orders({check.monitor.order_id for check in checks})
    shown = [check for check in checks if expiries.get(address_of(check.endpoint.check_url) or ("", 0))]
    now = clock.now()
    for check in shown:
        check.certificate_until = expiries[address_of(check.endpoint.check_url) or ("", 0)]
        check.certificate_checked_at = now
    MonitorCheck.objects.bulk_update(shown, ("certificate_until", "certificate_checked_at"))
    return len(shown)
