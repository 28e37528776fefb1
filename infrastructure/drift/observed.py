"""A snapshot of a provider: one list of its servers, and one query of each engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from core import clock
from core.errors import OutsideError
from infrastructure.backends import engine_of_host, get_cloud, get_host_runtime, get_own_runtime
from infrastructure.contracts.cloud import Node
from infrastructure.contracts.runtime import Runtime, ServiceState
from infrastructure.contracts.runtime import Service as ObservedService
from infrastructure.drift.expected import Expected, read_expected
from infrastructure.models import Observation, Provider, Service

STALE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """All keys of ours on an engine, and the services of the expected keys."""

    keys: Collection[str]
    services: Mapping[str, Sequence[ObservedService]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSnapshot:
    """What exists at a provider; an engine that did not respond is an error, not an empty host."""

    before: Expected
    nodes: Sequence[Node] | None
    """None at providers that do not create servers."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    errors: Sequence[str] = ()


def take_snapshot(provider: Provider) -> ProviderSnapshot:
    """Reads what exists at the provider; raises OutsideError if its servers cannot be listed."""
    before = read_expected(provider)
    nodes = get_cloud(provider).list_servers() if provider.makes_servers else None
    engines, errors = _from_observations(provider, before), []
    for host, runtime in engines_of(provider).items():
        keys = [composition.key for composition in before.compositions.values() if composition.host == host]
        try:
            engines[host] = Engine(services=runtime.observe(keys=keys), keys=runtime.list_keys())
        except OutsideError as error:
            errors.append(f"{host}: {error}" if host else str(error))
    return ProviderSnapshot(before=before, nodes=nodes, engines=engines, errors=errors)


def engines_of(provider: Provider) -> dict[str, Runtime]:
    """The engines that run the provider's compositions, by host."""
    if (shared := get_own_runtime(provider)) is not None:
        return {"": shared}
    return {engine_of_host(host): get_host_runtime(host) for host in provider.hosts.filter(gone_at=None).order_by("pk")}


def _from_observations(provider: Provider, before: Expected) -> dict[str, Engine]:
    """The engines of servers created for one order each, from the minutely observations instead of another query.

    Such a server holds nothing of other orders. An engine without a recent observation is left out; one with a recent
    observation and no services is empty.
    """
    if provider.kind != Provider.Kind.LIBCLOUD:
        return {}
    engines, since = {row.order_pk: row.host for row in before.compositions.values()}, clock.now() - STALE
    observations = Observation.objects.filter(
        provider=provider, thing=Observation.Thing.ENGINE, error="", seen_at__gte=since
    )
    recent = set(engines.values()) & set(observations.values_list("engine", flat=True))
    services: dict[str, dict[str, list[ObservedService]]] = defaultdict(lambda: defaultdict(list))
    stale = set()
    for row in Service.objects.filter(deployment__server__provider=provider).select_related("deployment__order"):
        host = engines.get(row.deployment.order_id)
        if host is None:
            continue
        if row.seen_at < since:
            stale.add(host)
        service = ObservedService(name=row.name, state=ServiceState.UNKNOWN, image=row.image, digest=row.digest)
        services[host][row.deployment.order.key].append(service)
    return {host: Engine(keys=(), services=services[host]) for host in (recent | services.keys()) - stale}
