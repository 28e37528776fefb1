"""Findings as rows: new ones open, lasting ones are confirmed, those that are no longer true close themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.utils.translation import gettext as _

from core import clock
from core.money import Money
from infrastructure.drift.comparison import Difference, FindingKey
from infrastructure.models import DriftFinding, Provider

CHANGES = ("expected", "actual", "monthly_cost", "currency", "order", "state", "last_seen_at", "updated_at")


def write_findings(
    provider: Provider,
    found: Iterable[Difference],
    *,
    hosts: Collection[str],
    servers_seen: bool,
    spared: Collection[str],
    prices: Mapping[str, Money],
) -> list[DriftFinding]:
    """The provider's findings are what was found; returns those that closed. The queries do not grow with the rows.

    Only what was looked at closes: servers if `servers_seen`, compositions on `hosts`, and never of a spared key.
    """
    now = clock.now()
    unsolved = DriftFinding.objects.filter(provider=provider).exclude(state=DriftFinding.State.SOLVED)
    lasting = {key_of(row): row for row in unsolved.select_for_update()}
    fresh, changed, confirmed = [], [], []
    for one in found:
        row = lasting.pop(one.identity, None)
        if row is None:
            fresh.append(_filled(_new(provider, one, now), one, prices, now))
        elif _says_the_same(row, one) and row.cost == prices.get(one.size):
            confirmed.append(row.pk)
        else:
            if not _says_the_same(row, one):
                row.state = DriftFinding.State.OPEN  # what was accepted is not what stands there now
            changed.append(_filled(row, one, prices, now))
    DriftFinding.objects.bulk_create(fresh)
    DriftFinding.objects.bulk_update(changed, CHANGES)
    DriftFinding.objects.filter(pk__in=confirmed).update(last_seen_at=now)
    closed = [row for row in lasting.values() if _may_close(row, hosts, servers_seen) and row.key not in spared]
    close([row.pk for row in closed], now)
    return closed


def close(pks: Sequence[int], now: datetime) -> None:
    """The findings are solved; nobody has anything to do about them any more."""
    DriftFinding.objects.filter(pk__in=pks).exclude(state=DriftFinding.State.SOLVED).update(
        state=DriftFinding.State.SOLVED,
        resolved_at=now,
        resolved_by=None,
        reason=_("It is no longer so."),
        updated_at=now,
    )


def key_of(row: DriftFinding) -> FindingKey:
    """What the row is told apart by."""
    return FindingKey(row.kind, row.thing, row.aspect, row.key, row.outside_id, row.host)


def _new(provider: Provider, one: Difference, now: datetime) -> DriftFinding:
    """A row at version 0: nobody has asked for anything to be destroyed."""
    return DriftFinding(provider=provider, first_seen_at=now, wanted_version=0, **one.identity._asdict())


def _filled(row: DriftFinding, one: Difference, prices: Mapping[str, Money], now: datetime) -> DriftFinding:
    price = prices.get(one.size)
    row.order_id, row.expected, row.actual = one.order_pk, one.expected[:500], one.actual[:500]
    row.monthly_cost, row.currency = (price.amount, price.currency) if price else (None, "")
    row.last_seen_at = row.updated_at = now
    return row


def _says_the_same(row: DriftFinding, one: Difference) -> bool:
    return (row.expected, row.actual, row.order_id) == (one.expected[:500], one.actual[:500], one.order_pk)


def _may_close(row: DriftFinding, hosts: Collection[str], servers_seen: bool) -> bool:
    if row.next_attempt_at is not None:
        return False  # being destroyed: its own controller says how that ended
    return servers_seen if row.thing == DriftFinding.Thing.SERVER else row.host in hosts
