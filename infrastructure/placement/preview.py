"""A preview of what approving an order will do, from the database alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from django.utils.translation import gettext as _

from core.money import Money
from core.text.units import cpu_words
from infrastructure.contracts.cloud import Size, SizeOffer
from infrastructure.models import Provider, ProviderOption
from infrastructure.placement.places import NoProvider, Place, find_place
from orders.models import Order
from products.models import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedContainer:
    """One service of the composition."""

    name: str
    image: str
    is_built: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedTo:
    """A container port that will be published on the host."""

    service: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEndpoint:
    """An address of the product, and the check that it must pass."""

    name: str
    application: str
    path: str
    check_path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlan:
    """What approving will create; `problem` says why nothing can be created now."""

    wish: Size
    placement: str
    provider: str = ""
    provider_slug: str = ""
    host: str = ""
    makes_server: bool = False
    size: SizeOffer | None = None
    is_plans_size: bool = False
    monthly_price: Money | None = None
    containers: tuple[PlannedContainer, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[PublishedTo, ...] = ()
    endpoints: tuple[PlannedEndpoint, ...] = ()
    monitors: tuple[str, ...] = ()
    problem: str = ""


def plan_of(order: Order) -> OrderPlan:
    """What approving the order would do now; no call to a provider."""
    manifest = order.release.endpoints
    compose = yaml.safe_load(order.release.compose) or {}
    contents: dict[str, Any] = {
        "wish": Size(cpus=order.plan.cpus, ram_gb=order.plan.ram_gb, disk_gb=order.plan.disk_gb),
        "placement": order.plan.placement,
        "containers": tuple(_containers(order.key, compose)),
        "volumes": tuple(sorted(compose.get("volumes") or ())),
        "endpoints": tuple(_endpoint(endpoint) for endpoint in manifest),
        "monitors": tuple(f"{endpoint['application']} ({endpoint['check']['path']})" for endpoint in manifest),
    }
    try:
        place = find_place(order)
    except NoProvider as refusal:
        return OrderPlan(**contents, problem=refusal.message)
    return OrderPlan(**contents, **_placed(place), problem=_no_size(place, order.plan), ports=_ports(place, manifest))


def _no_size(place: Place, plan: Plan) -> str:
    """The problem if the provider's sizes are known and none of them fits."""
    sizes = ProviderOption.objects.filter(provider=place.provider, kind=ProviderOption.Kind.SIZE)
    if not place.provider.makes_servers or place.size is not None or not sizes.exists():
        return ""
    message = _(
        "%(provider)s offers no size with %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk. "
        "Enable another provider, or change the plan."
    )
    size = {"cpus": cpu_words(plan.cpus), "ram": plan.ram_gb, "disk": plan.disk_gb}
    return message % {"provider": place.provider.name, **size}


def _placed(place: Place) -> dict[str, Any]:
    price = place.size.price if place.size else None
    return {
        "provider": place.provider.name,
        "provider_slug": place.provider.slug,
        "host": place.host.name if place.host else "",
        "makes_server": place.provider.makes_servers,
        "size": place.size,
        "is_plans_size": place.is_plans_size,
        "monthly_price": None if price is None else Money(price, place.provider.currency),
    }


def _ports(place: Place, manifest: Iterable[Mapping[str, Any]]) -> tuple[PublishedTo, ...]:
    if place.provider.kind == Provider.Kind.SANDBOX:
        return ()
    wanted = {(endpoint["service"], int(endpoint["port"])) for endpoint in manifest}
    return tuple(PublishedTo(service=service, port=port) for service, port in sorted(wanted))


def _containers(key: str, compose: Mapping[str, Any]) -> Iterable[PlannedContainer]:
    for name, service in sorted((compose.get("services") or {}).items()):
        image = str(service.get("image") or f"{key}-{name}")
        yield PlannedContainer(name=name, image=image, is_built="build" in service)


def _endpoint(endpoint: Mapping[str, Any]) -> PlannedEndpoint:
    return PlannedEndpoint(
        name=endpoint["name"],
        application=endpoint["application"],
        path=endpoint["path"],
        check_path=endpoint["check"]["path"],
    )
