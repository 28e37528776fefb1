"""What staff may say of a host: that it never comes back, and that its orders go elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

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


class NotPossible(Refusal):
    """The host, or the order on it, is not in a state that allows this."""

    code = "not_possible"


@transaction.atomic
def write_off_host(*, host: Host, why: str, actor: User | None = None) -> Host:
    """The host is gone for good: it takes no orders, removals wait for it no more, and what ran there needs a person.

    It is not asked again. An order placed there at this very moment finds out when it arrives.
    """
    orders = lock_orders(Server.objects.not_removed().filter(host=host).values_list("order", flat=True))
    host = Host.objects.select_for_update(of=("self",)).get(pk=host.pk)
    if host.is_gone:
        raise NotPossible(_("It is known already that this host is gone."))
    if not why.strip():
        raise NotPossible(_("Say why: nothing that stood there is looked for any more."), field="why")
    Host.objects.filter(pk=host.pk).update(
        is_enabled=False,
        state=Host.State.GONE,
        status_message=why.strip(),
        gone_at=clock.now(),
        gone_by=actor,
        gone_reason=why.strip()[:500],
    )
    for order in orders:
        note(order.pk, _("%(host)s is gone for good: %(why)s") % {"host": host, "why": why.strip()}, actor=actor)
    _settle_findings(host)
    _let_go([order for order in orders if order.wanted == Wanted.REMOVED], actor, why)
    report_many([_report(order, host) for order in orders if order.wanted == Wanted.RUNNING])
    host.refresh_from_db()
    return host


def _settle_findings(host: Host) -> None:
    """What stood there without an order went with it."""
    there = DriftFinding.objects.filter(provider=host.provider, host=engine_of_host(host))
    there.exclude(state=DriftFinding.State.SOLVED).update(
        state=DriftFinding.State.SOLVED,
        resolved_at=clock.now(),
        reason=_("Its host is gone for good."),
        next_attempt_at=None,
        updated_at=clock.now(),
    )


def _let_go(orders: Sequence[Order], actor: User | None, why: str) -> None:
    """The removals go on at once, those that had failed as well."""
    for order in orders:
        if order.needs_attention:
            retry_order(order=order, actor=actor, why=_("Its host is gone for good."))
    waiting = [order.pk for order in orders if not order.needs_attention]
    for name, model in (("deployment", Deployment), ("server", Server)):
        rows = model._default_manager.filter(order__in=waiting, next_attempt_at__isnull=False)
        rows.update(next_attempt_at=clock.now(), attempts=0)
        enqueue_rows(name, rows.values_list("pk", flat=True))


def _report(order: Order, host: Host) -> Report:
    return Report(
        order_pk=order.pk,
        part=Part.SERVER,
        state=PartState.FAILED,
        version=order.wanted_version,
        message=gone_words(host),
    )


def gone_words(host: Host) -> str:
    """What staff can do for an order whose host is gone."""
    return _(
        "Its host %(host)s is gone for good, with all that was on its disk. Place the order anew under “Hosts”: its "
        "release is launched on another one, with empty volumes. Or remove the order."
    ) % {"host": host}


def orders_to_place_anew(host: Host) -> list[Order]:
    """The orders that are wanted running on a host that is gone."""
    stranded = Server.objects.filter(host=host, host__gone_at__isnull=False).values("order")
    return list(Order.objects.filter(pk__in=stranded, wanted=Wanted.RUNNING).order_by("pk"))


def place_orders_anew(*, host: Host, why: str = "", actor: User | None = None) -> int:
    """Each running order of the host goes where there is room; refuses in the end if some found none."""
    host = Host.objects.get(pk=host.pk)
    if not host.is_gone:
        raise NotPossible(_("Say first that the host is gone for good."))
    moved, refused = 0, []
    for order in orders_to_place_anew(host):
        try:
            place_anew(order=order, why=why, actor=actor)
            moved += 1
        except Refusal as refusal:
            refused.append(f"{order.reference}: {refusal.message}")
    if refused:
        words = _("%(moved)s placed anew; not so: %(refused)s")
        raise NotPossible(words % {"moved": moved, "refused": " ".join(refused)})
    return moved


@transaction.atomic
def place_anew(*, order: Order, why: str = "", actor: User | None = None) -> Order:
    """The order goes to another place, as if it were new there; what was on the host that is gone stays lost."""
    (order,) = lock_orders([order.pk])
    server = Server.objects.select_related("host").filter(order=order).first()
    if server is None or server.host is None or not server.host.is_gone:
        raise NotPossible(_("Only an order whose host is gone for good is placed anew."))
    if order.wanted != Wanted.RUNNING:
        raise NotPossible(_("The order does not run: resume it first."))
    where = _move(server, order)
    words = _("Placed anew on %(where)s.") % {"where": where}
    return retry_order(order=order, actor=actor, why=f"{words} {why}".strip())


def _move(server: Server, order: Order) -> str:
    """The order's server, ports and composition are rows of the new place; whoever still visits them writes nothing."""
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
