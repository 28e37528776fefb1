"""What a look at a provider means for our rows, and what the orders are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _

from infrastructure.models import Finding, Provider
from infrastructure.reconciling.comparing import Found, KnownServer, compare_compositions, compare_servers
from infrastructure.reconciling.known import Known, agreed, read_known, strays_of
from infrastructure.reconciling.looking import Seen
from infrastructure.reconciling.prices import prices_of
from infrastructure.reconciling.writing import write_findings
from orders.reports import lock_orders
from orders.services import Report, report_many
from orders.words import Part, PartState


def conclude(provider: Provider, seen: Seen) -> None:
    """The findings are what was seen, and the orders whose servers are gone, or back, know; inside a transaction.

    Our rows are read once more: what moved while the outside was asked is left alone.
    """
    known = agreed(seen.before, read_known(provider))
    found, spared = _compare(known, seen)
    servers = {one.order_pk: one for one in known.servers.values()}
    ghosts = [one for one in found if one.mark.kind == Finding.Kind.GHOST]
    known_ghosts = _known_ghosts(provider)
    # Orders are held before findings, everywhere, or two that meet would wait for each other.
    concerned = {row.order_id for row in known_ghosts} | {one.order_pk for one in ghosts}
    lock_orders(pk for pk in concerned if pk is not None)
    accepted = {row.key for row in known_ghosts if row.state == Finding.State.ACCEPTED}
    ghosts = [one for one in ghosts if one.mark.key not in accepted]
    report_many([_gone(servers[one.order_pk], one) for one in ghosts if one.order_pk is not None])
    closed = write_findings(
        provider,
        found,
        hosts=seen.engines.keys(),
        servers_seen=seen.nodes is not None,
        spared=spared,
        prices=prices_of(provider),
    )
    back = [row for row in closed if row.kind == Finding.Kind.GHOST and row.order_id in servers]
    report_many([_back(servers[row.order_id]) for row in back if row.order_id is not None])


def _compare(known: Known, seen: Seen) -> tuple[list[Found], frozenset[str]]:
    servers, compositions = known.servers.values(), known.compositions.values()
    carried = {one.key for one in servers} | {one.key for one in compositions}
    keys = {node.key for node in seen.nodes or ()}.union(*(engine.keys for engine in seen.engines.values()))
    orders, living = strays_of(keys - carried - known.moving)
    spared = known.moving | living
    found = compare_servers(servers, seen.nodes, spared) if seen.nodes is not None else []
    for host, engine in seen.engines.items():
        here = [one for one in compositions if one.host == host]
        found += compare_compositions(here, engine.services, engine.keys, host=host, spared=spared)
    return [_with_order(one, orders) for one in found], spared


def _with_order(one: Found, orders: dict[str, int]) -> Found:
    if one.order_pk is not None or one.mark.key not in orders:
        return one
    return Found(mark=one.mark, order_pk=orders[one.mark.key], ours=one.ours, theirs=one.theirs, size=one.size)


def _known_ghosts(provider: Provider) -> list[Finding]:
    ghosts = Finding.objects.filter(provider=provider, kind=Finding.Kind.GHOST)
    return list(ghosts.exclude(state=Finding.State.SOLVED))


def _gone(server: KnownServer, ghost: Found) -> Report:
    words = _(
        "The provider no longer knows server %(id)s. If it was removed there on purpose, remove the order; otherwise "
        "rebuild it from its release under “Reconciliation”: what was on its disk is lost."
    ) % {"id": server.outside_id}
    return _report(server, PartState.FAILED, words)


def _back(server: KnownServer) -> Report:
    words = _("The provider shows server %(id)s again.") % {"id": server.outside_id}
    return _report(server, PartState.READY, words)


def _report(server: KnownServer, state: PartState, words: str) -> Report:
    return Report(order_pk=server.order_pk, part=Part.SERVER, state=state, version=server.order_version, message=words)


def troubles_in_words(troubles: Sequence[str] | Iterable[str]) -> str:
    """What could not be looked at."""
    return _("Not looked at: %(hosts)s") % {"hosts": "; ".join(troubles)}
