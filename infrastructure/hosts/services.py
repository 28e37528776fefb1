"""Writing off hosts that are lost, and relocating the orders that ran on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal
from customers.models import User
from infrastructure.backends import engine_of_host
from infrastructure.keys import give_server_keys
from infrastructure.models import Deployment, DriftFinding, Host, Provider, PublishedPort, Server, Service
from infrastructure.placement.places import fields_of, find_place, hold_places
from infrastructure.placement.ports import publish_ports
from infrastructure.server_actions.services import note
from orders.choices import Part, PartState, Wanted
from orders.models import Order
from orders.part_reports import lock_orders
from orders.services import Report, report_many, retry_order


class HostActionNotPossible(Refusal):
    """The host, or the order on it, is not in a state that allows this."""

    code = "not_possible"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relocation:
    """Which orders of a host were relocated, and why the others were not; the latter are unchanged."""

    moved: Sequence[Order]
    refused: Mapping[Order, str]


@transaction.atomic
def write_off_host(*, host: Host, why: str, actor: User | None = None) -> Host:
    """The host takes no more orders, removals no longer wait for it, and its running orders need attention.

    It is not contacted again. An order that is being placed there at the same time fails when its server is set up.
    """
    orders = lock_orders(Server.objects.not_removed().filter(host=host).values_list("order", flat=True))
    host = Host.objects.select_for_update(of=("self",)).get(pk=host.pk)
    if host.is_gone:
        raise HostActionNotPossible(_("This host has already been written off."))
    if not why.strip():
        raise HostActionNotPossible(_("A reason is required: a host is written off for good."), field="why")
    Host.objects.filter(pk=host.pk).update(
        is_enabled=False,
        state=Host.State.GONE,
        status_message=why.strip(),
        gone_at=clock.now(),
        gone_by=actor,
        gone_reason=why.strip()[:500],
    )
    for order in orders:
        message = _("Host %(host)s was written off: %(why)s") % {"host": host, "why": why.strip()}
        note(order.pk, message, actor=actor)
    _resolve_findings(host)
    _resume_removals([order for order in orders if order.wanted == Wanted.REMOVED], actor)
    report_many(
        [
            Report(
                order_pk=order.pk,
                part=Part.SERVER,
                state=PartState.FAILED,
                version=order.wanted_version,
                message=written_off_message(host),
            )
            for order in orders
            if order.wanted == Wanted.RUNNING
        ]
    )
    host.refresh_from_db()
    return host


def _resolve_findings(host: Host) -> None:
    """The drift findings on the host are resolved: what they name is lost with it."""
    findings = DriftFinding.objects.filter(provider=host.provider, host=engine_of_host(host))
    findings.exclude(state=DriftFinding.State.SOLVED).update(
        state=DriftFinding.State.SOLVED,
        resolved_at=clock.now(),
        reason=_("Its host was written off."),
        next_attempt_at=None,
        updated_at=clock.now(),
    )


def _resume_removals(orders: Sequence[Order], actor: User | None) -> None:
    """The removals continue at once, including those that had failed."""
    for order in orders:
        if order.needs_attention:
            retry_order(order=order, actor=actor, why=_("Its host was written off."))
    waiting = [order.pk for order in orders if not order.needs_attention]
    for name, model in (("deployment", Deployment), ("server", Server)):
        rows = model._default_manager.filter(order__in=waiting, next_attempt_at__isnull=False)
        rows.update(next_attempt_at=clock.now(), attempts=0)
        enqueue_rows(name, rows.values_list("pk", flat=True))


def written_off_message(host: Host) -> str:
    """What happened to an order whose host was written off, and what staff can do."""
    return _(
        "Its host %(host)s was written off; the data on it is lost. Choose “Relocate orders” under “Hosts” to launch "
        "its release on another host with empty volumes, or remove the order."
    ) % {"host": host}


def orders_to_relocate(host: Host) -> list[Order]:
    """The orders that should be running on a host that was written off."""
    stranded = Server.objects.filter(host=host, host__gone_at__isnull=False).values("order")
    return list(Order.objects.filter(pk__in=stranded, wanted=Wanted.RUNNING).order_by("pk"))


def relocate_orders(*, host: Host, why: str = "", actor: User | None = None) -> Relocation:
    """Each running order of the host is relocated in a transaction of its own, or stays as it is.

    Raises HostActionNotPossible, before anything is changed, if the host was not written off.
    """
    host = Host.objects.get(pk=host.pk)
    if not host.is_gone:
        raise HostActionNotPossible(_("Write off the host first."))
    moved, refused = [], {}
    for order in orders_to_relocate(host):
        try:
            moved.append(relocate_order(order=order, why=why, actor=actor))
        except Refusal as refusal:
            refused[order] = refusal.message
    return Relocation(moved=moved, refused=refused)


@transaction.atomic
def relocate_order(*, order: Order, why: str = "", actor: User | None = None) -> Order:
    """The order is placed like a new one and launched there with empty volumes; its old host was written off."""
    (order,) = lock_orders([order.pk])
    server = Server.objects.select_related("host").filter(order=order).first()
    if server is None or server.host is None or not server.host.is_gone:
        raise HostActionNotPossible(_("Only an order whose host was written off can be relocated."))
    if order.wanted != Wanted.RUNNING:
        raise HostActionNotPossible(_("The order is not running: resume it first."))
    message = _("Relocated to %(place)s.") % {"place": _move(server, order)}
    return retry_order(order=order, actor=actor, why=f"{message} {why}".strip())


def _move(server: Server, order: Order) -> str:
    """The order's server, ports and composition belong to the new place; leases on the old rows end."""
    hold_places()
    place = find_place(order)
    blank = dict.fromkeys(("outside_id", "address", "size", "node_state", "adopted_key", "bootstrap_log"), "")
    Server.objects.filter(pk=server.pk).update(**fields_of(place), **blank, node_seen_at=None, leased_until=None)
    server = Server.objects.select_related("provider", "host", "order").get(pk=server.pk)
    if place.provider.kind == Provider.Kind.LIBCLOUD:
        give_server_keys(server)
    for deployment in Deployment.objects.filter(order=order).select_related("release"):
        deployment.server = server
        PublishedPort.objects.filter(deployment=deployment).delete()
        publish_ports(deployment)
        Service.objects.filter(deployment=deployment).delete()
    Deployment.objects.filter(order=order).update(launched_at=None, leased_until=None)
    return str(place.host or place.provider)
