"""Our records of a provider's servers and compositions as values; a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import yaml
from django.db.models import F, Q

from core import clock
from infrastructure.adapters.compose.own_images import pulled_images
from infrastructure.backends import engine_of
from infrastructure.drift.comparison import ExpectedComposition, ExpectedServer
from infrastructure.models import Deployment, Provider, Server, Service
from orders.choices import State, Wanted
from orders.models import Order
from products.composition.startup import startup_of
from products.models import Release

# Clouds list new servers, and drop destroyed ones, with a delay.
GRACE = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Our side of a comparison: settled rows, and the keys of rows that are changing."""

    servers: Mapping[int, ExpectedServer]
    compositions: Mapping[int, ExpectedComposition]
    moving: frozenset[str]


def read_expected(provider: Provider) -> Expected:
    """The provider's servers and compositions as recorded now."""
    settled, moving = _servers(provider)
    compositions, changing = _compositions(provider)
    return Expected(servers=settled, compositions=compositions, moving=frozenset(moving | changing))


def unchanged(before: Expected, after: Expected) -> Expected:
    """The rows that did not change between two readings; the keys of all others are `moving`."""
    servers = {pk: row for pk, row in after.servers.items() if before.servers.get(pk) == row}
    compositions = {pk: row for pk, row in after.compositions.items() if before.compositions.get(pk) == row}
    changed = {row.key for pk, row in after.servers.items() if pk not in servers}
    changed |= {row.key for pk, row in after.compositions.items() if pk not in compositions}
    return Expected(servers=servers, compositions=compositions, moving=before.moving | after.moving | changed)


def owners_of(keys: Iterable[str]) -> tuple[dict[str, int], frozenset[str]]:
    """The order of each key that no settled row has; and the keys whose order is not removed, or only just was."""
    references = {key.removeprefix("live-").upper(): key for key in keys}
    orders: dict[str, int] = {}
    in_use: set[str] = set()
    rows = Order.objects.filter(reference__in=references).values_list("pk", "reference", "state", "removed_at")
    for pk, reference, state, removed_at in rows:
        key = references[reference]
        orders[key] = pk
        if state != State.REMOVED or (removed_at and removed_at > clock.now() - GRACE):
            in_use.add(key)
    return orders, frozenset(in_use)


def _servers(provider: Provider) -> tuple[dict[int, ExpectedServer], set[str]]:
    gone = Q(wanted=Wanted.REMOVED, done_version=F("wanted_version"), updated_at__lte=clock.now() - GRACE)
    rows = Server.objects.filter(provider=provider).exclude(gone).select_related("order")
    settled, moving = {}, set()
    for row in rows.defer("order__inputs", "order__reason"):
        if row.wanted == Wanted.REMOVED or not _is_stable(row) or not row.outside_id:
            moving.add(row.key)
            continue
        settled[row.pk] = ExpectedServer(
            order_pk=row.order_id,
            order_version=row.order.wanted_version,
            key=row.key,
            outside_id=row.outside_id,
            address=row.address,
            size=row.size,
            version=row.wanted_version,
        )
    return settled, moving


def _compositions(provider: Provider) -> tuple[dict[int, ExpectedComposition], set[str]]:
    gone = Q(wanted=Wanted.REMOVED, done_version=F("wanted_version"), updated_at__lte=clock.now() - GRACE)
    rows = list(
        Deployment.objects.filter(server__provider=provider)
        .exclude(gone)
        .select_related("order", "server__provider", "server__host")
        .defer("order__inputs", "order__reason")
    )
    releases = _services_and_images({row.release_id for row in rows})
    digests = _deployed(provider)
    settled, moving = {}, set()
    for row in rows:
        if row.wanted == Wanted.REMOVED or not _is_stable(row) or row.launched_at is None:
            moving.add(row.order.key)
            continue
        always_up, images = releases[row.release_id]
        settled[row.pk] = ExpectedComposition(
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
    return settled, moving


def _is_stable(row: Server | Deployment) -> bool:
    """True when no controller has worked on the row during the grace period, or is about to."""
    follows = row.order.wanted != Wanted.REMOVED and (
        row.order.wanted == Wanted.SUSPENDED or row.wanted_version >= row.order.wanted_version
    )
    is_idle = row.is_settled and row.next_attempt_at is None and row.leased_until is None
    return follows and is_idle and row.updated_at <= clock.now() - GRACE


def _deployed(provider: Provider) -> Mapping[int, dict[str, str]]:
    """The digests that each deployment was launched with, by service."""
    digests: dict[int, dict[str, str]] = defaultdict(dict)
    rows = Service.objects.filter(deployment__server__provider=provider).exclude(launched_digest="").order_by()
    for deployment_pk, name, digest in rows.values_list("deployment", "name", "launched_digest"):
        digests[deployment_pk][name] = digest
    return digests


def _services_and_images(pks: set[int]) -> dict[int, tuple[frozenset[str], dict[str, str]]]:
    """For each release, the services that get a container, and the images that it names without variables."""
    of_release = {}
    for pk, text in Release.objects.filter(pk__in=pks).values_list("pk", "compose"):
        services = _services(yaml.safe_load(text))  # has been launched, so it is valid YAML
        startup = startup_of({"services": services})
        of_release[pk] = (startup.running | startup.jobs, pulled_images(services))
    return of_release


def _services(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services with inherited profiles, without container counts that come from variables."""
    services = {name: dict(service) for name, service in (document.get("services") or {}).items()}
    for service in services.values():
        base: Any = service
        while (extended := base.get("extends")) and not service.get("profiles"):
            name = extended.get("service") if isinstance(extended, dict) else extended
            base = services.get(name, {})
            service["profiles"] = base.get("profiles")
        for section in (service, service.get("deploy") or {}):
            for key in ("scale", "replicas"):
                if not isinstance(section.get(key), int):
                    section.pop(key, None)
    return services
