"""Stores findings: opens new ones, updates existing ones, resolves those that no longer apply."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from core import clock
from core.money import Money
from infrastructure.drift.comparison import DriftDifference, FindingKey
from infrastructure.models import DriftFinding, Provider

CHANGES = ("expected", "actual", "monthly_cost", "currency", "order", "state", "last_seen_at", "updated_at")


def write_findings(
    provider: Provider,
    found: Iterable[DriftDifference],
    *,
    hosts: Collection[str],
    servers_seen: bool,
    spared: Collection[str],
    prices: Mapping[str, Money],
) -> list[DriftFinding]:
    """The provider's findings match what was found; returns those that were resolved. A constant number of queries.

    Only scanned things are resolved: servers if `servers_seen`, compositions on `hosts`, never with a spared key.
    """
    now = clock.now()
    unsolved = DriftFinding.objects.filter(provider=provider).exclude(state=DriftFinding.State.SOLVED)
    existing = {key_of(row): row for row in unsolved.select_for_update()}
    fresh, changed, confirmed = [], [], []
    for difference in found:
        row = existing.pop(difference.identity, None)
        if row is None:
            fresh.append(_filled(_new(provider, difference, now), difference, prices, now))
        elif _is_same(row, difference) and row.cost == prices.get(difference.size):
            confirmed.append(row.pk)
        else:
            if not _is_same(row, difference):
                row.state = DriftFinding.State.OPEN  # another difference than the one that was accepted
            changed.append(_filled(row, difference, prices, now))
    DriftFinding.objects.bulk_create(fresh)
    DriftFinding.objects.bulk_update(changed, CHANGES)
    DriftFinding.objects.filter(pk__in=confirmed).update(last_seen_at=now)
    closed = [row for row in existing.values() if _may_close(row, hosts, servers_seen) and row.key not in spared]
    close([row.pk for row in closed], now)
    return closed


def close(pks: Sequence[int], now: datetime) -> None:
    """The findings are resolved, unless they already were."""
    DriftFinding.objects.filter(pk__in=pks).exclude(state=DriftFinding.State.SOLVED).update(
        state=DriftFinding.State.SOLVED,
        resolved_at=now,
        resolved_by=None,
        reason=_("No longer found."),
        updated_at=now,
    )


def key_of(row: DriftFinding) -> FindingKey:
    """The identity of the row's finding."""
    return FindingKey(row.kind, row.thing, row.aspect, row.key, row.outside_id, row.host)


def _new(provider: Provider, difference: DriftDifference, now: datetime) -> DriftFinding:
    """A row at version 0: no removal has been requested."""
    return DriftFinding(provider=provider, first_seen_at=now, wanted_version=0, **difference.identity._asdict())


def _filled(row: DriftFinding, difference: DriftDifference, prices: Mapping[str, Money], now: datetime) -> DriftFinding:
    price = prices.get(difference.size)
    row.order_id, row.expected, row.actual = difference.order_pk, difference.expected[:500], difference.actual[:500]
    row.monthly_cost, row.currency = (price.amount, price.currency) if price else (None, "")
    row.last_seen_at = row.updated_at = now
    return row


def _is_same(row: DriftFinding, difference: DriftDifference) -> bool:
    texts = difference.expected[:500], difference.actual[:500]
    return (row.expected, row.actual, row.order_id) == (*texts, difference.order_pk)


def _may_close(row: DriftFinding, hosts: Collection[str], servers_seen: bool) -> bool:
    if row.next_attempt_at is not None:
        return False  # being removed: its controller resolves it
    return servers_seen if row.thing == DriftFinding.Thing.SERVER else row.host in hosts
