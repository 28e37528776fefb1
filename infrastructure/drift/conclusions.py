"""What a look at a provider means for our rows, and what the orders are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from infrastructure.drift.comparison import (
    Difference,
    ExpectedComposition,
    ExpectedServer,
    compare_compositions,
    compare_servers,
)
from infrastructure.drift.expected import Expected, read_expected, strays_of, unchanged
from infrastructure.drift.findings import write_findings
from infrastructure.drift.observed import ProviderSnapshot
from infrastructure.drift.prices import prices_of
from infrastructure.models import DriftFinding, Provider
from orders.choices import Part, PartState
from orders.part_reports import lock_orders
from orders.services import Report, report_many


def apply_snapshot(provider: Provider, seen: ProviderSnapshot) -> None:
    """The findings are what was seen, and the orders whose servers or compositions are gone, or back, know.

    Inside a transaction.

    Our rows are read once more: what moved while the outside was asked is left alone.
    """
    known = unchanged(seen.before, read_expected(provider))
    found, spared = _compare(known, seen)
    ghosts = [one for one in found if one.identity.kind == DriftFinding.Kind.GHOST]
    known_ghosts = _open_ghosts(provider)
    # Orders are held before findings, everywhere, or two that meet would wait for each other.
    concerned = {row.order_id for row in known_ghosts} | {one.order_pk for one in ghosts}
    lock_orders(pk for pk in concerned if pk is not None)
    accepted = {(row.thing, row.key) for row in known_ghosts if row.state == DriftFinding.State.ACCEPTED}
    fresh = [
        (one.identity.thing, one.order_pk) for one in ghosts if (one.identity.thing, one.identity.key) not in accepted
    ]
    report_many(_told(known, fresh, is_there=False))
    closed = write_findings(
        provider,
        found,
        hosts=seen.engines.keys(),
        servers_seen=seen.nodes is not None,
        spared=spared,
        prices=prices_of(provider),
    )
    without = {one.order_pk for one in ghosts}
    back = [row for row in closed if row.kind == DriftFinding.Kind.GHOST and row.order_id not in without]
    report_many(_told(known, [(row.thing, row.order_id) for row in back], is_there=True))


def _compare(known: Expected, seen: ProviderSnapshot) -> tuple[list[Difference], frozenset[str]]:
    servers, compositions = known.servers.values(), known.compositions.values()
    carried = {one.key for one in servers} | {one.key for one in compositions}
    keys = {node.key for node in seen.nodes or ()}.union(*(engine.keys for engine in seen.engines.values()))
    orders, living = strays_of(keys - carried - known.moving)
    spared = known.moving | living
    found = compare_servers(servers, seen.nodes, spared) if seen.nodes is not None else []
    for host, engine in seen.engines.items():
        here = [one for one in compositions if one.host == host]
        found += compare_compositions(here, engine.services, engine.keys, host=host, spared=spared)
    found = _without_what_went_along(found)
    return [_with_order(one, orders) for one in found], spared


def _without_what_went_along(found: Sequence[Difference]) -> list[Difference]:
    """Where the server is gone, its composition is no news."""
    lost = {one.order_pk for one in found if one.identity[:2] == (DriftFinding.Kind.GHOST, DriftFinding.Thing.SERVER)}
    return [one for one in found if one.identity.thing == DriftFinding.Thing.SERVER or one.order_pk not in lost]


def _with_order(one: Difference, orders: dict[str, int]) -> Difference:
    if one.order_pk is not None or one.identity.key not in orders:
        return one
    return Difference(
        identity=one.identity,
        order_pk=orders[one.identity.key],
        expected=one.expected,
        actual=one.actual,
        size=one.size,
    )


def _open_ghosts(provider: Provider) -> list[DriftFinding]:
    ghosts = DriftFinding.objects.filter(provider=provider, kind=DriftFinding.Kind.GHOST)
    return list(ghosts.exclude(state=DriftFinding.State.SOLVED))


def _told(known: Expected, things: Iterable[tuple[str, int | None]], *, is_there: bool) -> list[Report]:
    """What the orders of these servers and compositions are told; one that is not to run needs no composition now."""
    servers = {one.order_pk: one for one in known.servers.values()}
    compositions = {one.order_pk: one for one in known.compositions.values() if one.is_to_run}
    reports = []
    for thing, pk in things:
        if thing == DriftFinding.Thing.SERVER and pk in servers:
            server = servers[pk]
            reports.append(_report(server, Part.SERVER, is_there, (_back if is_there else _gone)(server)))
        elif thing == DriftFinding.Thing.COMPOSITION and pk in compositions:
            words = _("All its containers are there again.") if is_there else _emptied()
            reports.append(_report(compositions[pk], Part.COMPOSITION, is_there, words))
    return reports


def _gone(server: ExpectedServer) -> str:
    return _(
        "The provider no longer knows server %(id)s. If it was removed there on purpose, remove the order; otherwise "
        "rebuild it from its release under “Drift”: what was on its disk is lost."
    ) % {"id": server.outside_id}


def _back(server: ExpectedServer) -> str:
    return _("The provider shows server %(id)s again.") % {"id": server.outside_id}


def _emptied() -> str:
    return _(
        "None of its containers is left on its server. Launch it again from its release under “Drift”: "
        "volumes that are still there are kept."
    )


def _report(one: ExpectedServer | ExpectedComposition, part: Part, is_there: bool, words: str) -> Report:
    state = PartState.READY if is_there else PartState.FAILED
    return Report(order_pk=one.order_pk, part=part, state=state, version=one.order_version, message=words)


def errors_message(errors: Sequence[str] | Iterable[str]) -> str:
    """What could not be looked at."""
    return _("Not looked at: %(hosts)s") % {"hosts": "; ".join(errors)}
