"""Brings this room's rows to what the orders want, in the sequence in which parts may move."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, prefetch_related_objects
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.engine.controller import enqueue_rows, want
from infrastructure.keys import give_server_keys
from infrastructure.models import Deployment, Endpoint, Provider, Server
from infrastructure.placement.places import NoProvider, fields_of, find_place, hold_places, wish_of
from infrastructure.placement.ports import NoPorts, publish_ports
from infrastructure.provisioning.plan_changes import NoResize, follow_plan, is_to_follow_plan
from infrastructure.provisioning.release_rows import follow_release, match_endpoints
from infrastructure.server_actions.services import ServerActionNotPossible
from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import may_move
from orders.models import Order
from orders.part_reports import lock_orders
from orders.services import Report, report_many

BATCH_SIZE = 200
RELATED = ("release__product", "plan")


def reconcile_all() -> None:
    """Every order whose server, composition or endpoints lag behind what it wants is reconciled."""
    unsettled = Q(state__in=(State.PROVISIONING, State.REMOVING, State.ATTENTION))
    behind = Q(deployment__wanted_version__lt=F("wanted_version")) | Q(deployment__isnull=True)
    pks = list(Order.objects.moving().filter(unsettled | behind).values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH_SIZE):
        reconcile_orders(pks[start : start + BATCH_SIZE])


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVersions:
    """The `wanted_version` of this room's rows, by order."""

    servers: Mapping[int, int]
    deployments: Mapping[int, int]
    endpoints: Mapping[int, int]
    """The oldest version among the order's endpoints."""
    checking: Collection[int]
    """The orders with endpoints still to be checked."""


@transaction.atomic
def reconcile_orders(pks: Iterable[int]) -> None:
    """This room's rows want what these orders want, as far as the sequence of the parts allows.

    Five queries for any number of orders that have nothing to do; orders that move need queries of their own.
    """
    orders = [order for order in lock_orders(pks, *RELATED) if order.approved_at is not None]
    prefetch_related_objects(orders, "parts")
    rows = _rows_of(orders)
    if reports := [report for order in orders for report in _reconcile(order, rows)]:
        report_many(reports, locked=orders)


def _reconcile(order: Order, rows: RowVersions) -> Iterator[Report]:
    """The order's rows want what it wants; yields the reports of what changed."""
    if order.wanted == Wanted.RUNNING:
        yield from _start(order, rows)
    elif order.wanted == Wanted.SUSPENDED:
        _suspend(order, rows)
    else:
        yield from _remove(order, rows)


def _rows_of(orders: Sequence[Order]) -> RowVersions:
    """Read once the orders are locked: `wanted_version` is raised under that lock only."""
    endpoints: dict[int, int] = {}
    checking = set()
    endpoint_rows = Endpoint.objects.filter(order__in=orders, is_retired=False).order_by()
    for order_pk, version, next_attempt_at in endpoint_rows.values_list("order", "wanted_version", "next_attempt_at"):
        endpoints[order_pk] = min(version, endpoints.get(order_pk, version))
        if next_attempt_at is not None:
            checking.add(order_pk)
    return RowVersions(
        servers=dict(Server.objects.filter(order__in=orders).order_by().values_list("order", "wanted_version")),
        deployments=dict(Deployment.objects.filter(order__in=orders).order_by().values_list("order", "wanted_version")),
        endpoints=endpoints,
        checking=checking,
    )


def _lags(versions: Mapping[int, int], order: Order) -> bool:
    """True when the order's row does not exist yet, or has an older version."""
    return versions.get(order.pk, -1) < order.wanted_version


def _start(order: Order, rows: RowVersions) -> Iterator[Report]:
    if _lags(rows.servers, order):
        yield from _want_server(order, rows)
    if _lags(rows.deployments, order) and _may(order, Part.COMPOSITION):
        yield from _want_deployment(order, rows)
    if order.pk in rows.endpoints and _lags(rows.endpoints, order) and _may(order, Part.ENDPOINTS):
        yield from _want_endpoints(order)


def _suspend(order: Order, rows: RowVersions) -> None:
    _stop_checking(order, rows)
    if _lags(rows.deployments, order):
        _want(Deployment, "deployment", order)


def _remove(order: Order, rows: RowVersions) -> Iterator[Report]:
    _stop_checking(order, rows)
    if _lags(rows.deployments, order) and _may(order, Part.COMPOSITION):
        _want(Deployment, "deployment", order)
        yield from _forget_unlaunched(order)
    if _lags(rows.servers, order) and _may(order, Part.SERVER):
        _want(Server, "server", order)
        yield from _forget_unplaced(order)


def _stop_checking(order: Order, rows: RowVersions) -> None:
    if order.pk in rows.checking:
        order.endpoints.update(next_attempt_at=None)


def _forget_unplaced(order: Order) -> Iterator[Report]:
    """An order that was never placed has no server to remove."""
    if order.parts.filter(part=Part.SERVER).exists() and not Server.objects.filter(order=order).exists():
        message = _("No server was created.")
        yield _report(order, Part.SERVER, PartState.REMOVED, message)


def _forget_unlaunched(order: Order) -> Iterator[Report]:
    """An order that never got ports has no composition to remove."""
    if order.parts.filter(part=Part.COMPOSITION).exists() and not Deployment.objects.filter(order=order).exists():
        yield _report(order, Part.COMPOSITION, PartState.REMOVED, _("No composition was launched."))


def _may(order: Order, part: Part) -> bool:
    reports = [row.reported for row in order.parts.all()]
    return may_move(part, wanted=Wanted(order.wanted), version=order.wanted_version, parts=reports)


def _want(model: type[Server | Deployment], controller: str, order: Order) -> None:
    rows = model._default_manager.filter(order=order)
    if want(rows, order.wanted_version, wanted=order.wanted):
        enqueue_rows(controller, rows.values_list("pk", flat=True))


def _want_server(order: Order, rows: RowVersions) -> Iterator[Report]:
    try:
        if order.pk in rows.servers:
            if is_to_follow_plan(order):
                follow_plan(order)
            _want(Server, "server", order)
            return
        server = _place(order)
    except (NoProvider, NoResize, ServerActionNotPossible) as refusal:
        # The sweep tries again every minute: the order continues by itself once there is capacity.
        yield _report(order, Part.SERVER, PartState.FAILED, refusal.message)
        return
    enqueue_rows("server", [server.pk])
    message = _("Requested a server from %(provider)s.") % {"provider": server.provider}
    if server.host is not None:
        message = _("Placed on host %(host)s (%(provider)s).") % {"host": server.host, "provider": server.provider}
    yield _report(order, Part.SERVER, PartState.WORKING, message)


def _place(order: Order) -> Server:
    """Create the server's row, which reserves its capacity, and its keys if a server is to be created."""
    if not order.is_sandbox:
        hold_places()
    place, wish = find_place(order), wish_of(order.plan)
    server = Server.objects.create(
        order=order,
        placement=order.plan.placement,
        cpus=wish.cpus,
        ram_gb=wish.ram_gb,
        disk_gb=wish.disk_gb,
        wanted_version=order.wanted_version,
        next_attempt_at=clock.now(),
        **fields_of(place),
    )
    if place.provider.kind == Provider.Kind.LIBCLOUD:
        give_server_keys(server)
    return server


def _want_deployment(order: Order, rows: RowVersions) -> Iterator[Report]:
    try:
        if order.pk in rows.deployments:
            follow_release(order)
            _want(Deployment, "deployment", order)
            return
        deployment = _create_deployment(order)
    except NoPorts as refusal:
        # As with missing capacity: the sweep tries again every minute.
        yield _report(order, Part.COMPOSITION, PartState.FAILED, refusal.message)
        return
    enqueue_rows("deployment", [deployment.pk])
    message = _("Launching %(release)s.") % {"release": order.release}
    yield _report(order, Part.COMPOSITION, PartState.WORKING, message)


@transaction.atomic
def _create_deployment(order: Order) -> Deployment:
    """Create the composition's row, its ports and its endpoints; none of them where the host has no free ports."""
    deployment = Deployment.objects.create(
        order=order,
        server=order.server,
        release=order.release,
        wanted_version=order.wanted_version,
        next_attempt_at=clock.now(),
    )
    publish_ports(deployment)
    match_endpoints(deployment)
    return deployment


def _want_endpoints(order: Order) -> Iterator[Report]:
    rows = Endpoint.objects.filter(order=order, is_retired=False)
    if want(rows, order.wanted_version):
        match_endpoints(Deployment.objects.select_related("release", "server__provider").get(order=order))
        pks = list(rows.values_list("pk", flat=True))
        enqueue_rows("endpoint", pks)
        message = ngettext("Checking %(count)s endpoint.", "Checking %(count)s endpoints.", len(pks))
        message %= {"count": len(pks)}
        yield _report(order, Part.ENDPOINTS, PartState.WORKING, message)


def _report(order: Order, part: Part, state: PartState, message: str) -> Report:
    return Report(order_pk=order.pk, part=part, state=state, message=message, version=order.wanted_version)
