"""A server follows its order's plan: more or less capacity on its host, or another size at its provider."""

from __future__ import annotations

from django.utils.translation import gettext as _

from core.errors import Refusal
from core.text.units import cpu_words
from infrastructure.contracts.cloud import Power, Size, SizeOffer
from infrastructure.contracts.sizing import Room, Taken, fits
from infrastructure.models import Host, Provider, ProviderOption, Server
from infrastructure.placement.places import NoRoom, hold_places, new_server_place, wish_of
from infrastructure.server_actions.services import (
    dismiss_server_action,
    powers_over,
    request_server_action,
)
from orders.changes.services import note_interruption
from orders.choices import ChangeKind, ChangeState
from orders.models import Order
from products.models import Plan


class NoResize(Refusal):
    """The server cannot get the size that the plan includes."""

    code = "no_resize"


def is_to_follow_plan(order: Order) -> bool:
    """True while the order changes its plan, or could not go back from one yet.

    Otherwise its server stays as it was promised, and as staff have resized it, whatever becomes of the plan.
    """
    change = order.changes.first()
    return (
        change is not None and change.kind == ChangeKind.PLAN and (change.is_open or change.state == ChangeState.FAILED)
    )


def follow_plan(order: Order) -> None:
    """The server's row has the capacity of the order's plan, and a resize is requested where it needs one.

    Call it with the order locked. Raises a Refusal where the capacity is not to be had.
    """
    server, wish = order.server, wish_of(order.plan)
    if server.wish == wish:
        return
    hold_places()
    if server.host is not None:
        check_room(server, server.host, wish)
    size = size_for(server, order.plan)
    server.cpus, server.ram_gb, server.disk_gb = wish.cpus, wish.ram_gb, wish.disk_gb
    server.save(update_fields=("cpus", "ram_gb", "disk_gb", "updated_at"))
    for failed in server.server_actions.failed():
        dismiss_server_action(server_action=failed, why=_("The plan of the order changed again."))
    if size is not None:
        why = _("The order changes to plan %(plan)s.") % {"plan": order.plan.name}
        request_server_action(server=server, verb=Power.RESIZE, size_id=size.outside_id, why=why)
        note_interruption(order.pk)


def check_room(server: Server, host: Host, wish: Size) -> None:
    """Nothing, if `host` has the capacity besides what other orders take; raises NoRoom otherwise."""
    others = Server.objects.not_removed().filter(host=host).exclude(pk=server.pk)
    dedicated = Plan.Placement.DEDICATED
    taken = [Taken(size=row.wish, is_dedicated=row.placement == dedicated) for row in others]
    room = Room(host_pk=host.pk, capacity=host.capacity, taken=tuple(taken))
    if not room.takes(wish, dedicated=server.placement == dedicated):
        message = _("Host %(host)s has no room for %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk.")
        size = {"cpus": cpu_words(wish.cpus), "ram": wish.ram_gb, "disk": wish.disk_gb}
        raise NoRoom(message % {"host": host, **size})


def size_for(server: Server, plan: Plan) -> SizeOffer | None:
    """The size that the server has to be changed to; None where its present one will do.

    A server that is larger than its plan stays as it is unless its provider offers a cheaper size and can resize;
    no disk is ever made smaller. Raises NoResize where a larger size is needed and cannot be had.
    """
    if server.provider.kind == Provider.Kind.LOCAL or server.host is not None:
        return None
    present = _offer_of(server)
    suffices = present is not None and fits(present, wish_of(plan))
    size = new_server_place(server.provider, plan).size
    if size is not None and size.outside_id == server.size:
        return None
    if present is None and size is None:
        return None  # sizes are unknown here: the provider's driver chose one
    if suffices and not _is_worth_it(present, size):
        return None
    problem = ""
    if Power.RESIZE not in powers_over(server).verbs:
        problem = _("Servers of %(provider)s cannot be resized.")
    elif size is None:
        problem = _("%(provider)s offers no size that fits.")
    if problem and not suffices:
        advice = _("Place a new order in the plan you want, and move the data there.")
        raise NoResize(f"{problem % {'provider': server.provider}} {advice}")
    return None if problem else size


def _offer_of(server: Server) -> SizeOffer | None:
    sizes = ProviderOption.objects.filter(provider=server.provider, kind=ProviderOption.Kind.SIZE)
    row = sizes.filter(outside_id=server.size).first()
    return row.as_offer if row else None


def _is_worth_it(present: SizeOffer | None, size: SizeOffer | None) -> bool:
    """True where the other size is cheaper and its disk is not smaller."""
    if present is None or size is None or present.price is None or size.price is None:
        return False
    return size.price < present.price and (size.disk_gb or 0) >= (present.disk_gb or 0)
