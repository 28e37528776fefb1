"""Applies a provider's snapshot: updates the findings, and reports ghosts to their orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.utils.translation import gettext as _

from infrastructure.drift.comparison import (
    DriftDifference,
    ExpectedComposition,
    ExpectedServer,
    compare_compositions,
    compare_servers,
)
from infrastructure.drift.expected import Expected, owners_of, read_expected, unchanged
from infrastructure.drift.findings import write_findings
from infrastructure.drift.observed import ProviderSnapshot
from infrastructure.drift.prices import prices_of
from infrastructure.models import DriftFinding, Provider
from orders.choices import Part, PartState
from orders.part_reports import lock_orders
from orders.services import Report, report_many


def apply_snapshot(provider: Provider, snapshot: ProviderSnapshot) -> None:
    """The findings match the snapshot; orders whose server or composition is missing, or back, have a report.

    Call it inside a transaction. Our records are read once more: rows that changed after the snapshot was started are
    skipped.
    """
    expected = unchanged(snapshot.before, read_expected(provider))
    found, spared = _compare(expected, snapshot)
    ghosts = [difference for difference in found if difference.identity.kind == DriftFinding.Kind.GHOST]
    open_ghosts = _open_ghosts(provider)
    # Orders are locked before findings, everywhere; otherwise two transactions could deadlock.
    affected = {row.order_id for row in open_ghosts} | {ghost.order_pk for ghost in ghosts}
    lock_orders(pk for pk in affected if pk is not None)
    accepted = {(row.thing, row.key) for row in open_ghosts if row.state == DriftFinding.State.ACCEPTED}
    missing = [
        (ghost.identity.thing, ghost.order_pk)
        for ghost in ghosts
        if (ghost.identity.thing, ghost.identity.key) not in accepted
    ]
    report_many(_reports(expected, missing, is_present=False))
    closed = write_findings(
        provider,
        found,
        hosts=snapshot.engines.keys(),
        servers_seen=snapshot.nodes is not None,
        spared=spared,
        prices=prices_of(provider),
    )
    still_missing = {ghost.order_pk for ghost in ghosts}
    back = [
        (row.thing, row.order_id)
        for row in closed
        if row.kind == DriftFinding.Kind.GHOST and row.order_id not in still_missing
    ]
    report_many(_reports(expected, back, is_present=True))


def _compare(expected: Expected, snapshot: ProviderSnapshot) -> tuple[list[DriftDifference], frozenset[str]]:
    """The differences, each with its order if it has one; and the keys about which nothing can be concluded."""
    servers, compositions = expected.servers.values(), expected.compositions.values()
    owned = {server.key for server in servers} | {composition.key for composition in compositions}
    keys = {node.key for node in snapshot.nodes or ()}.union(*(engine.keys for engine in snapshot.engines.values()))
    orders, in_use = owners_of(keys - owned - expected.moving)
    spared = expected.moving | in_use
    found = compare_servers(servers, snapshot.nodes, spared) if snapshot.nodes is not None else []
    for host, engine in snapshot.engines.items():
        on_host = [composition for composition in compositions if composition.host == host]
        found += compare_compositions(on_host, engine.services, engine.keys, host=host, spared=spared)
    return [
        difference
        if difference.order_pk is not None
        else replace(difference, order_pk=orders.get(difference.identity.key))
        for difference in _without_compositions_of_ghosts(found)
    ], spared


def _without_compositions_of_ghosts(found: Sequence[DriftDifference]) -> list[DriftDifference]:
    """Where the server is missing, the finding about its composition adds nothing."""
    server_ghost = (DriftFinding.Kind.GHOST, DriftFinding.Thing.SERVER)
    without_server = {difference.order_pk for difference in found if difference.identity[:2] == server_ghost}
    return [
        difference
        for difference in found
        if difference.identity.thing == DriftFinding.Thing.SERVER or difference.order_pk not in without_server
    ]


def _open_ghosts(provider: Provider) -> list[DriftFinding]:
    ghosts = DriftFinding.objects.filter(provider=provider, kind=DriftFinding.Kind.GHOST)
    return list(ghosts.exclude(state=DriftFinding.State.SOLVED))


def _reports(expected: Expected, things: Iterable[tuple[str, int | None]], *, is_present: bool) -> list[Report]:
    """The reports to the orders of these servers and compositions; a suspended order needs no composition."""
    servers = {server.order_pk: server for server in expected.servers.values()}
    compositions = {row.order_pk: row for row in expected.compositions.values() if row.is_to_run}
    reports = []
    for thing, order_pk in things:
        if thing == DriftFinding.Thing.SERVER and order_pk in servers:
            server = servers[order_pk]
            message = _server_back(server) if is_present else _server_missing(server)
            reports.append(_report(server, Part.SERVER, is_present, message))
        elif thing == DriftFinding.Thing.COMPOSITION and order_pk in compositions:
            message = _("All its containers are present again.") if is_present else _containers_missing()
            reports.append(_report(compositions[order_pk], Part.COMPOSITION, is_present, message))
    return reports


def _server_missing(server: ExpectedServer) -> str:
    return _(
        "The provider no longer lists server %(id)s. If it was removed on purpose, remove the order; otherwise rebuild "
        "it from its release under “Drift”. The data on its disk is lost."
    ) % {"id": server.outside_id}


def _server_back(server: ExpectedServer) -> str:
    return _("The provider lists server %(id)s again.") % {"id": server.outside_id}


def _containers_missing() -> str:
    return _(
        "None of its containers exists on its server any more. Launch it again from its release under “Drift”: "
        "existing volumes are kept."
    )


def _report(row: ExpectedServer | ExpectedComposition, part: Part, is_present: bool, message: str) -> Report:
    state = PartState.READY if is_present else PartState.FAILED
    return Report(order_pk=row.order_pk, part=part, state=state, version=row.order_version, message=message)


def errors_message(errors: Iterable[str]) -> str:
    """The hosts that could not be queried, with the errors."""
    return _("Not scanned: %(hosts)s") % {"hosts": "; ".join(errors)}
