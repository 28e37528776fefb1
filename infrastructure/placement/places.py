"""Where an order goes, and which ports and addresses it gets there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from core.errors import Refusal
from core.text.units import cpu_words
from infrastructure.contracts.cloud import Size, SizeOffer
from infrastructure.contracts.sizing import Room, Taken, cheapest, fits, suits, tightest
from infrastructure.models import Host, PlanSize, Provider, ProviderOption, Server
from orders.models import Order
from products.models import Plan


class NoProvider(Refusal):
    """No provider can take the order."""

    code = "no_provider"


class NoRoom(NoProvider):
    """The providers that could take the order are full."""

    code = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an order would go: a host that is there already, or a server made in a size on offer."""

    provider: Provider
    host: Host | None = None
    size: SizeOffer | None = None
    is_plans_size: bool = False
    """True when staff have said that orders of the plan get this size here."""


def hold_places() -> None:
    """Until the transaction ends nobody else places an order or hands out a port: two would pick the same one.

    The same rows in the same sequence for everybody, so that no two callers ever wait for each other.
    """
    real = Provider.objects.exclude(kind=Provider.Kind.SANDBOX).order_by("pk")
    list(real.select_for_update(no_key=True).values_list("pk", flat=True))


def choose_provider(order: Order) -> Provider:
    """The provider that `find_place` would choose."""
    return find_place(order).provider


def find_place(order: Order) -> Place:
    """The first fitting provider that has room: asked for, or by rank; shared plans look for existing hosts first.

    Sandbox orders go to sandboxes and no others do. Hold the places if the answer is to be kept.
    """
    providers = _fitting(order)
    wish = wish_of(order.plan)
    for provider in providers:
        if provider.kind != Provider.Kind.EXISTING:
            return _made_at(provider, order.plan)
        host = _host(provider, wish, dedicated=order.plan.placement == Plan.Placement.DEDICATED)
        if host is not None:
            return Place(provider=provider, host=host)
    if not providers:
        raise NoProvider(
            _("No enabled provider for this order (asked for: %(slug)s, sandbox: %(sandbox)s).")
            % {"slug": order.provider_slug or _("any"), "sandbox": _("yes") if order.is_sandbox else _("no")}
        )
    raise NoRoom(_no_room_words(order.plan))


def fields_of(place: Place) -> dict[str, Any]:
    """What the row of a server says of its place."""
    boots = place.provider.kind == Provider.Kind.LIBCLOUD
    return {
        "provider": place.provider,
        "host": place.host,
        "size_id": place.size.outside_id if place.size else "",
        "has_agent": boots and bool(settings.ZABBIX_AGENT_SERVER),
    }


def wish_of(plan: Plan) -> Size:
    """What the plan promises of a server."""
    return Size(cpus=plan.cpus, ram_gb=plan.ram_gb, disk_gb=plan.disk_gb)


def _fitting(order: Order) -> list[Provider]:
    fitting = Provider.objects.filter(is_enabled=True)
    sandbox = Provider.Kind.SANDBOX
    fitting = fitting.filter(kind=sandbox) if order.is_sandbox else fitting.exclude(kind=sandbox)
    if order.provider_slug:
        fitting = fitting.filter(slug=order.provider_slug)
    providers = list(fitting)
    if order.plan.placement == Plan.Placement.SHARED:
        providers.sort(key=lambda one: one.kind != Provider.Kind.EXISTING)
    return providers


def _no_room_words(plan: Plan) -> str:
    words = _("No host has %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk free.")
    if plan.placement == Plan.Placement.DEDICATED:
        words = _("No empty host has %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk.")
    return words % {"cpus": cpu_words(plan.cpus), "ram": plan.ram_gb, "disk": plan.disk_gb}


def _made_at(provider: Provider, plan: Plan) -> Place:
    """A server in the size that is meant for the plan, or in the cheapest on offer that fits.

    A size that is no longer offered, or has less than the plan promises by now, is not taken. None at all where sizes
    are not known: the driver then chooses alike.
    """
    wish, offered = wish_of(plan), ProviderOption.objects.filter(provider=provider, kind=ProviderOption.Kind.SIZE)
    offers = [one for row in offered if suits(one := row.as_offer, provider.architecture)]
    meant = PlanSize.objects.filter(provider=provider, plan=plan).values_list("size_id", flat=True).first()
    for one in offers:
        if one.outside_id == meant and fits(one, wish):
            return Place(provider=provider, size=one, is_plans_size=True)
    allowed = [one for one in offers if not provider.size_ids or one.outside_id in provider.size_ids]
    return Place(provider=provider, size=cheapest(allowed, wish))


def _host(provider: Provider, wish: Size, *, dedicated: bool) -> Host | None:
    # One that does not answer, or needs a person, would only fail the next order too.
    hosts = Host.objects.filter(provider=provider, is_enabled=True).exclude(state__in=Host.UNFIT)
    by_pk = {host.pk: host for host in hosts}
    best = tightest(rooms_of(list(by_pk.values())), wish, dedicated=dedicated)
    return by_pk[best.host_pk] if best else None


def rooms_of(hosts: Sequence[Host]) -> list[Room]:
    """The hosts with what stands on them; one query for all."""
    taken: dict[int, list[Taken]] = defaultdict(list)
    for server in Server.objects.not_removed().filter(host__in=hosts):
        dedicated = server.placement == Plan.Placement.DEDICATED
        taken[server.host_id or 0].append(Taken(size=server.wish, is_dedicated=dedicated))
    return [Room(host_pk=host.pk, capacity=host.capacity, taken=tuple(taken[host.pk])) for host in hosts]
