"""What was seen outside, written into rows, in sets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from infrastructure.adapters.words import Offer, SizeOffer
from infrastructure.adapters.words import Service as SeenService
from infrastructure.models import Endpoint, Provider, ProviderOption, Service
from live.lib import clock
from orders.reports import lock_orders
from orders.services import Report
from orders.words import Part, PartState

SHOWN_FIELDS = ("state", "image", "exit_code", "started_at")


def write_services(seen: Mapping[int, Sequence[SeenService]]) -> None:
    """The service rows of each deployment are exactly what its engine showed; the queries grow with what changed."""
    now = clock.now()
    rows = Service.objects.filter(deployment__in=seen)
    known = {(row.deployment_id, row.name): row for row in rows}
    changed = []
    for deployment_pk, services in seen.items():
        for one in services:
            row = _service(deployment_pk, one, now)
            before = known.pop((deployment_pk, one.name), None)
            if before is None or any(getattr(before, name) != getattr(row, name) for name in SHOWN_FIELDS):
                changed.append(row)
    Service.objects.bulk_create(
        changed, update_conflicts=True, unique_fields=("deployment", "name"), update_fields=(*SHOWN_FIELDS, "seen_at")
    )
    Service.objects.filter(pk__in=[row.pk for row in known.values()]).delete()
    rows.update(seen_at=now)


def _service(deployment_pk: int, one: SeenService, now: datetime) -> Service:
    return Service(
        deployment_id=deployment_pk,
        name=one.name,
        state=one.state.value,
        image=one.image,
        exit_code=one.exit_code,
        started_at=one.started_at,
        seen_at=now,
    )


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
        words = f"{words} {waiting[0].last_error}".strip()
    else:
        state, words = PartState.READY, _("All %(all)s addresses answer as promised.") % {"all": len(rows)}
    return Report(order_pk=order_pk, part=Part.ENDPOINTS, state=state, version=version, message=words)


@transaction.atomic
def write_offer(provider: Provider, offer: Offer) -> None:
    """The rows of what the provider offers are exactly this; prices are of a month."""
    Provider.objects.select_for_update(no_key=True).get(pk=provider.pk)  # two readings would both insert
    ProviderOption.objects.filter(provider=provider).delete()
    rows = {("size", one.outside_id): _size_row(provider, one) for one in offer.sizes}
    kind = ProviderOption.Kind
    for of_kind, choices in ((kind.IMAGE, offer.images), (kind.LOCATION, offer.locations)):
        for one in choices:
            rows[of_kind.value, one.outside_id] = ProviderOption(
                provider=provider, kind=of_kind, outside_id=one.outside_id[:250], name=one.name[:250]
            )
    ProviderOption.objects.bulk_create(rows.values(), batch_size=500)


def _size_row(provider: Provider, size: SizeOffer) -> ProviderOption:
    return ProviderOption(
        provider=provider,
        kind=ProviderOption.Kind.SIZE,
        outside_id=size.outside_id[:250],
        name=size.name[:250],
        cpus=size.cpus,
        ram_gb=Decimal(str(round(size.ram_gb, 2))),
        disk_gb=size.disk_gb,
        price=None if size.price is None else size.price * provider.periods_per_month,
        currency=provider.currency,
        architecture=size.architecture,
    )
