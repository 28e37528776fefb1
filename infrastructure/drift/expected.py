"""What our rows say of a provider, as plain values: a fixed number of queries, however many servers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from django.db.models import F, Q

from core import clock
from infrastructure.backends import engine_of
from infrastructure.drift.comparison import ExpectedComposition, ExpectedServer
from infrastructure.models import Deployment, Provider, Server, Service
from orders.choices import State, Wanted
from orders.models import Order
from products.composition.startup import startup_of
from products.models import Release

# Clouds show what was just made, and forget what was just destroyed, a little late.
GRACE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Our side of a comparison: what is settled, and the keys of which nothing may be concluded."""

    servers: Mapping[int, ExpectedServer]
    compositions: Mapping[int, ExpectedComposition]
    moving: frozenset[str]


def read_expected(provider: Provider) -> Expected:
    """What our rows say of the provider's servers and compositions now."""
    at_rest, moving = _servers(provider)
    compositions, changing = _compositions(provider)
    return Expected(servers=at_rest, compositions=compositions, moving=frozenset(moving | changing))


def unchanged(before: Expected, after: Expected) -> Expected:
    """What stood still between two readings; the rest moves, and nothing is concluded of it."""
    servers = {pk: one for pk, one in after.servers.items() if before.servers.get(pk) == one}
    compositions = {pk: one for pk, one in after.compositions.items() if before.compositions.get(pk) == one}
    unsteady = {one.key for pk, one in after.servers.items() if pk not in servers}
    unsteady |= {one.key for pk, one in after.compositions.items() if pk not in compositions}
    return Expected(servers=servers, compositions=compositions, moving=before.moving | after.moving | unsteady)


def strays_of(keys: Iterable[str]) -> tuple[dict[str, int], frozenset[str]]:
    """Of keys that no known server carries: whose order each is, and which are spared because that order lives."""
    references = {key.removeprefix("live-").upper(): key for key in keys}
    orders: dict[str, int] = {}
    spared: set[str] = set()
    rows = Order.objects.filter(reference__in=references).values_list("pk", "reference", "state", "removed_at")
    for pk, reference, state, removed_at in rows:
        key = references[reference]
        orders[key] = pk
        if state != State.REMOVED or (removed_at and removed_at > clock.now() - GRACE):
            spared.add(key)
    return orders, frozenset(spared)


def _servers(provider: Provider) -> tuple[dict[int, ExpectedServer], set[str]]:
    gone = Q(wanted=Wanted.REMOVED, done_version=F("wanted_version"), updated_at__lte=clock.now() - GRACE)
    rows = Server.objects.filter(provider=provider).exclude(gone).select_related("order")
    at_rest, moving = {}, set()
    for row in rows.defer("order__inputs", "order__reason"):
        if row.wanted == Wanted.REMOVED or not _stands_still(row) or not row.outside_id:
            moving.add(row.key)
            continue
        at_rest[row.pk] = ExpectedServer(
            order_pk=row.order_id,
            order_version=row.order.wanted_version,
            key=row.key,
            outside_id=row.outside_id,
            address=row.address,
            size=row.size,
            version=row.wanted_version,
        )
    return at_rest, moving


def _compositions(provider: Provider) -> tuple[dict[int, ExpectedComposition], set[str]]:
    gone = Q(wanted=Wanted.REMOVED, done_version=F("wanted_version"), updated_at__lte=clock.now() - GRACE)
    rows = list(
        Deployment.objects.filter(server__provider=provider)
        .exclude(gone)
        .select_related("order", "server__provider", "server__host")
        .defer("order__inputs", "order__reason")
    )
    releases = _promises({row.release_id for row in rows})
    digests = _deployed(provider)
    at_rest, moving = {}, set()
    for row in rows:
        if row.wanted == Wanted.REMOVED or not _stands_still(row) or row.launched_at is None:
            moving.add(row.order.key)
            continue
        always_up, images = releases[row.release_id]
        at_rest[row.pk] = ExpectedComposition(
            order_pk=row.order_id,
            key=row.order.key,
            host=engine_of(row.server),
            version=row.wanted_version,
            order_version=row.order.wanted_version,
            is_to_run=row.order.wanted == Wanted.RUNNING,
            always_up=always_up,
            images=images,
            digests=digests[row.pk],
        )
    return at_rest, moving


def _stands_still(row: Server | Deployment) -> bool:
    """True when no controller has anything to do with it, and has not had for a little while."""
    follows = row.order.wanted != Wanted.REMOVED and (
        row.order.wanted == Wanted.SUSPENDED or row.wanted_version >= row.order.wanted_version
    )
    at_rest = row.is_settled and row.next_attempt_at is None and row.leased_until is None
    return follows and at_rest and row.updated_at <= clock.now() - GRACE


def _deployed(provider: Provider) -> Mapping[int, dict[str, str]]:
    """The digests that each deployment was launched with, by service."""
    digests: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Service.objects.filter(deployment__server__provider=provider).exclude(launched_digest="").order_by()
    for deployment_pk, name, digest in rows.values_list("deployment", "name", "launched_digest"):
        digests[deployment_pk][name] = digest
    return digests


def _promises(pks: set[int]) -> dict[int, tuple[frozenset[str], dict[str, str]]]:
    """The services of each release that get a container, and the images that it names."""
    promises = {}
    for pk, text in Release.objects.filter(pk__in=pks).values_list("pk", "compose"):
        services = _services(yaml.safe_load(text))  # launched once, so it can be read
        images = {
            name: str(service["image"])
            for name, service in services.items()
            if service.get("image") and "build" not in service and "$" not in str(service["image"])
        }
        startup = startup_of({"services": services})
        promises[pk] = (startup.running | startup.jobs, images)
    return promises


def _services(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services, with the profiles that they inherit; how many containers a variable makes is not known here."""
    services = {name: dict(service) for name, service in (document.get("services") or {}).items()}
    for service in services.values():
        base: Any = service
        while (extended := base.get("extends")) and not service.get("profiles"):
            name = extended.get("service") if isinstance(extended, dict) else extended
            base = services.get(name, {})
            service["profiles"] = base.get("profiles")
        for place in (service, service.get("deploy") or {}):
            for key in ("scale", "replicas"):
                if not isinstance(place.get(key), int):
                    place.pop(key, None)
    return services
