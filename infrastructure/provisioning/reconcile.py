"""What may be asked of this room: follow the orders, and say what is left of one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q, prefetch_related_objects
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows, want
from infrastructure.keys import give_server_keys
from infrastructure.models import Deployment, Endpoint, Provider, Server
from infrastructure.placement.places import NoProvider, fields_of, find_place, hold_places, wish_of
from infrastructure.placement.ports import NoPorts, base_url, publish_ports
from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import may_move
from orders.models import Order
from orders.part_reports import lock_orders
from orders.services import Report, report_many

AT_ONCE = 200


def reconcile_all() -> None:
    """Every order whose server, composition or endpoints lag behind its wish has been followed."""
    unsettled = Q(state__in=(State.PROVISIONING, State.REMOVING, State.ATTENTION))
    behind = Q(deployment__wanted_version__lt=F("wanted_version")) | Q(deployment__isnull=True)
    pks = list(Order.objects.moving().filter(unsettled | behind).values_list("pk", flat=True))
    for start in range(0, len(pks), AT_ONCE):
        reconcile_orders(pks[start : start + AT_ONCE])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What this room has of some orders: the wish that each row knows, by order."""

    servers: Mapping[int, int]
    deployments: Mapping[int, int]
    endpoints: Mapping[int, int]
    """The oldest wish that an endpoint of the order knows."""
    asked: Collection[int]
    """The orders of which an endpoint is still to be asked."""


@transaction.atomic
def reconcile_orders(pks: Iterable[int]) -> None:
    """This room's rows want what these orders want, as far as the order of arrival lets them.

    Five queries for any number of orders that have come as far as they may; those that move take their own.
    """
    orders = [order for order in lock_orders(pks) if order.approved_at is not None]
    prefetch_related_objects(orders, "parts")
    rows = _rows_of(orders)
    if news := [one for order in orders for one in _follow(order, rows)]:
        report_many(news)


def _follow(order: Order, rows: Rows) -> Iterator[Report]:
    """The order's rows want what it wants; yields what there is to tell of that."""
    if order.wanted == Wanted.RUNNING:
        yield from _bring(order, rows)
    elif order.wanted == Wanted.SUSPENDED:
        _rest(order, rows)
    else:
        yield from _take_away(order, rows)


def _rows_of(orders: Sequence[Order]) -> Rows:
    """Read once the orders are held: only their followers raise what rows want."""
    endpoints: dict[int, int] = {}
    asked = set()
    known = Endpoint.objects.filter(order__in=orders).order_by()
    for order_pk, version, next_attempt_at in known.values_list("order", "wanted_version", "next_attempt_at"):
        endpoints[order_pk] = min(version, endpoints.get(order_pk, version))
        if next_attempt_at is not None:
            asked.add(order_pk)
    return Rows(
        servers=dict(Server.objects.filter(order__in=orders).order_by().values_list("order", "wanted_version")),
        deployments=dict(Deployment.objects.filter(order__in=orders).order_by().values_list("order", "wanted_version")),
        endpoints=endpoints,
        asked=asked,
    )


def _lags(known: Mapping[int, int], order: Order) -> bool:
    """True when the order's row is still to be made, or does not know its newest wish."""
    return known.get(order.pk, -1) < order.wanted_version


def _bring(order: Order, rows: Rows) -> Iterator[Report]:
    if _lags(rows.servers, order):
        yield from _want_server(order, rows)
    if _lags(rows.deployments, order) and _may(order, Part.COMPOSITION):
        yield from _want_deployment(order, rows)
    if order.pk in rows.endpoints and _lags(rows.endpoints, order) and _may(order, Part.ENDPOINTS):
        yield from _want_endpoints(order)


def _rest(order: Order, rows: Rows) -> None:
    _ask_no_more(order, rows)
    if _lags(rows.deployments, order):
        _want(Deployment, "deployment", order)


def _take_away(order: Order, rows: Rows) -> Iterator[Report]:
    _ask_no_more(order, rows)
    if _lags(rows.deployments, order) and _may(order, Part.COMPOSITION):
        _want(Deployment, "deployment", order)
        yield from _forget_unlaunched(order)
    if _lags(rows.servers, order) and _may(order, Part.SERVER):
        _want(Server, "server", order)
        yield from _forget_unplaced(order)


def _ask_no_more(order: Order, rows: Rows) -> None:
    if order.pk in rows.asked:
        order.endpoints.update(next_attempt_at=None)


def _forget_unplaced(order: Order) -> Iterator[Report]:
    """An order that never found a place has no server to remove."""
    if order.parts.filter(part=Part.SERVER).exists() and not Server.objects.filter(order=order).exists():
        words = _("No server was ever made.")
        yield _report(order, Part.SERVER, PartState.REMOVED, words)


def _forget_unlaunched(order: Order) -> Iterator[Report]:
    """An order that never got its ports has no composition to remove."""
    if order.parts.filter(part=Part.COMPOSITION).exists() and not Deployment.objects.filter(order=order).exists():
        yield _report(order, Part.COMPOSITION, PartState.REMOVED, _("No composition was ever launched."))


def _may(order: Order, part: Part) -> bool:
    seen = [row.reported for row in order.parts.all()]
    return may_move(part, wanted=Wanted(order.wanted), version=order.wanted_version, parts=seen)


def _want(model: type[Server | Deployment], controller: str, order: Order) -> None:
    rows = model._default_manager.filter(order=order)
    if want(rows, order.wanted_version, wanted=order.wanted):
        enqueue_rows(controller, rows.values_list("pk", flat=True))


def _want_server(order: Order, rows: Rows) -> Iterator[Report]:
    if order.pk in rows.servers:
        _want(Server, "server", order)
        return
    try:
        server = _place(order)
    except NoProvider as refusal:
        # The minutely look asks again: the order goes on by itself when there is room.
        yield _report(order, Part.SERVER, PartState.FAILED, refusal.message)
        return
    enqueue_rows("server", [server.pk])
    words = _("Asked %(provider)s for a server.") % {"provider": server.provider}
    if server.host is not None:
        words = _("Placed on %(host)s of %(provider)s.") % {"host": server.host, "provider": server.provider}
    yield _report(order, Part.SERVER, PartState.WORKING, words)


def _place(order: Order) -> Server:
    """The server's row, with the room it takes, and with its keys if it is to be made."""
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


def _want_deployment(order: Order, rows: Rows) -> Iterator[Report]:
    if order.pk in rows.deployments:
        _want(Deployment, "deployment", order)
        return
    try:
        deployment = _create_deployment(order)
    except NoPorts as refusal:
        # As for want of room: the minutely look asks again.
        yield _report(order, Part.COMPOSITION, PartState.FAILED, refusal.message)
        return
    enqueue_rows("deployment", [deployment.pk])
    words = _("Launching %(release)s.") % {"release": order.release}
    yield _report(order, Part.COMPOSITION, PartState.WORKING, words)


@transaction.atomic
def _create_deployment(order: Order) -> Deployment:
    """The composition's row, its ports and its endpoints; none of them where the host has no ports left."""
    deployment = Deployment.objects.create(
        order=order,
        server=order.server,
        release=order.release,
        wanted_version=order.wanted_version,
        next_attempt_at=clock.now(),
    )
    publish_ports(deployment)
    _create_endpoints(deployment)
    return deployment


def _create_endpoints(deployment: Deployment) -> None:
    """The endpoints exist, settled at version 0, until the composition is there."""
    endpoints = []
    for one in deployment.release.endpoints:
        base = base_url(deployment, one["service"], int(one["port"]))
        check = one["check"]
        endpoints.append(
            Endpoint(
                order=deployment.order,
                deployment=deployment,
                name=one["name"],
                application=one["application"],
                url=base + one["path"],
                check_url=base + check["path"],
                check_status=check.get("status", 200),
                check_contains=check.get("contains", ""),
                check_max_seconds=check.get("max_seconds", 10),
                wanted_version=0,
            )
        )
    Endpoint.objects.bulk_create(endpoints)


def _want_endpoints(order: Order) -> Iterator[Report]:
    rows = Endpoint.objects.filter(order=order)
    if want(rows, order.wanted_version):
        _readdress(order.deployment)
        enqueue_rows("endpoint", rows.values_list("pk", flat=True))
        words = _("Asking each address whether it answers.")
        yield _report(order, Part.ENDPOINTS, PartState.WORKING, words)


def _report(order: Order, part: Part, state: PartState, words: str) -> Report:
    return Report(order_pk=order.pk, part=part, state=state, message=words, version=order.wanted_version)


def _readdress(deployment: Deployment) -> None:
    """The endpoints are where the server is now: one that was made anew may have another address."""
    rows = {row.name: row for row in deployment.endpoints.all()}
    moved = []
    for one in deployment.release.endpoints:
        base = base_url(deployment, one["service"], int(one["port"]))
        row = rows.get(one["name"])
        if row is not None and row.url != base + one["path"]:
            row.url, row.check_url = base + one["path"], base + one["check"]["path"]
            moved.append(row)
    Endpoint.objects.bulk_update(moved, ("url", "check_url"))
