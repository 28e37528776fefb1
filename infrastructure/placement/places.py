"""Chooses the provider, and the host or the size, of an order."""

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
    """No host of the fitting providers has capacity for the order."""

    code = "no_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an order would run: an existing host, or a new server of an offered size."""

    provider: Provider
    host: Host | None = None
    size: SizeOffer | None = None
    is_plans_size: bool = False
    """True when staff have assigned this size to the plan at this provider."""


def hold_places() -> None:
    """Until the transaction ends nobody else places an order or assigns a port: two would pick the same one.

    Everybody locks the same rows in the same sequence, so that no deadlock is possible.
    """
    real = Provider.objects.exclude(kind=Provider.Kind.SANDBOX).order_by("pk")
    list(real.select_for_update(no_key=True).values_list("pk", flat=True))


def choose_provider(order: Order) -> Provider:
    """The provider that `find_place` would choose."""
    return find_place(order).provider


def find_place(order: Order) -> Place:
    """The first fitting provider with capacity: the requested one, or by rank; shared plans try existing hosts first.

    Sandbox orders go to sandboxes only, and no others do. Call `hold_places` first if the result is to be stored.
    """
    providers = _fitting(order)
    wish = wish_of(order.plan)
    for provider in providers:
        if provider.kind != Provider.Kind.EXISTING:
            return new_server_place(provider, order.plan)
        host = _host(provider, wish, dedicated=order.plan.placement == Plan.Placement.DEDICATED)
        if host is not None:
            return Place(provider=provider, host=host)
    if not providers:
        raise NoProvider(
            _(
                "No enabled provider fits this order (requested: %(slug)s, sandbox: %(sandbox)s). "
                "Enable one, or edit the provider that the order requests."
            )
            % {"slug": order.provider_slug or _("any"), "sandbox": _("yes") if order.is_sandbox else _("no")}
        )
    raise NoRoom(_no_room_message(order.plan))


def fields_of(place: Place) -> dict[str, Any]:
    """The place as columns of a server's row."""
    boots = place.provider.kind == Provider.Kind.LIBCLOUD
    return {
        "provider": place.provider,
        "host": place.host,
        "size_id": place.size.outside_id if place.size else "",
        "has_agent": boots and bool(settings.ZABBIX_AGENT_SERVER),
    }


def wish_of(plan: Plan) -> Size:
    """The size that the plan promises."""
    return Size(cpus=plan.cpus, ram_gb=plan.ram_gb, disk_gb=plan.disk_gb)


def _fitting(order: Order) -> list[Provider]:
    fitting = Provider.objects.filter(is_enabled=True)
    sandbox = Provider.Kind.SANDBOX
    fitting = fitting.filter(kind=sandbox) if order.is_sandbox else fitting.exclude(kind=sandbox)
    if order.provider_slug:
        fitting = fitting.filter(slug=order.provider_slug)
    providers = list(fitting)
    if order.plan.placement == Plan.Placement.SHARED:
        providers.sort(key=lambda provider: provider.kind != Provider.Kind.EXISTING)
    return providers


def _no_room_message(plan: Plan) -> str:
    message = _("No host has %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk free. Add a host, or enable one.")
    if plan.placement == Plan.Placement.DEDICATED:
        message = _(
            "No empty host has %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk. Add a host, or enable one."
        )
    return message % {"cpus": cpu_words(plan.cpus), "ram": plan.ram_gb, "disk": plan.disk_gb}


def new_server_place(provider: Provider, plan: Plan) -> Place:
    """A server of the size assigned to the plan, or of the cheapest offered size that fits.

    An assigned size that is no longer offered, or is smaller than the plan promises by now, is ignored. The size is
    None where the offer is unknown: the driver then chooses in the same way.
    """
    wish, offered = wish_of(plan), ProviderOption.objects.filter(provider=provider, kind=ProviderOption.Kind.SIZE)
    offers = [offer for row in offered if suits(offer := row.as_offer, provider.architecture)]
    assigned = PlanSize.objects.filter(provider=provider, plan=plan).values_list("size_id", flat=True).first()
    for offer in offers:
        if offer.outside_id == assigned and fits(offer, wish):
            return Place(provider=provider, size=offer, is_plans_size=True)
    allowed = [offer for offer in offers if not provider.size_ids or offer.outside_id in provider.size_ids]
    return Place(provider=provider, size=cheapest(allowed, wish))


def _host(provider: Provider, wish: Size, *, dedicated: bool) -> Host | None:
    # A host that does not answer or needs attention would only fail the next order too.
    hosts = Host.objects.filter(provider=provider, is_enabled=True).exclude(state__in=Host.UNFIT)
    by_pk = {host.pk: host for host in hosts}
    best = tightest(rooms_of(list(by_pk.values())), wish, dedicated=dedicated)
    return by_pk[best.host_pk] if best else None


def rooms_of(hosts: Sequence[Host]) -> list[Room]:
    """The hosts with the capacity that is taken on them; one query for all."""
    taken: dict[int, list[Taken]] = defaultdict(list)
    for server in Server.objects.not_removed().filter(host__in=hosts):
        dedicated = server.placement == Plan.Placement.DEDICATED
        taken[server.host_id or 0].append(Taken(size=server.wish, is_dedicated=dedicated))
    return [Room(host_pk=host.pk, capacity=host.capacity, taken=tuple(taken[host.pk])) for host in hosts]
