"""What the outside shows of a provider: one list of its servers, and one look at each engine."""

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
    """What one engine shows: every key of ours, and the services of the keys that were asked for."""

    keys: Collection[str]
    services: Mapping[str, Sequence[ObservedService]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderSnapshot:
    """A provider as the outside shows it; an engine that did not answer is an error and not an empty host."""

    before: Expected
    nodes: Sequence[Node] | None
    """None where servers are only lent: nothing is made there, so nothing can be missing."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    errors: Sequence[str] = ()


def take_snapshot(provider: Provider) -> ProviderSnapshot:
    """What stands at the provider; raises OutsideError if its list of servers is not to be had."""
    before = read_expected(provider)
    nodes = get_cloud(provider).list_servers() if provider.makes_servers else None
    engines, errors = _as_last_seen(provider, before), []
    for host, runtime in engines_of(provider).items():
        asked = [one.key for one in before.compositions.values() if one.host == host]
        try:
            engines[host] = _look_at(runtime, asked)
        except OutsideError as error:
            errors.append(f"{host}: {error}" if host else str(error))
    return ProviderSnapshot(before=before, nodes=nodes, engines=engines, errors=errors)


def engines_of(provider: Provider) -> dict[str, Runtime]:
    """The engines on which the provider's compositions stand, by host."""
    if (shared := get_own_runtime(provider)) is not None:
        return {"": shared}
    return {engine_of_host(one): get_host_runtime(one) for one in provider.hosts.filter(gone_at=None).order_by("pk")}


def _as_last_seen(provider: Provider, before: Expected) -> dict[str, Engine]:
    """What the minutely look wrote of servers made for one order each: they are not asked a second time.

    Nothing strange can stand on such a server that does not go with it. One that was not seen lately is left out; one
    that was, and has no services left, is empty.
    """
    if provider.kind != Provider.Kind.LIBCLOUD:
        return {}
    engines, since = {one.order_pk: one.host for one in before.compositions.values()}, clock.now() - STALE
    observations = Observation.objects.filter(
        provider=provider, thing=Observation.Thing.ENGINE, error="", seen_at__gte=since
    )
    looked = set(engines.values()) & set(observations.values_list("engine", flat=True))
    seen: dict[str, dict[str, list[ObservedService]]] = defaultdict(lambda: defaultdict(list))
    stale = set()
    for row in Service.objects.filter(deployment__server__provider=provider).select_related("deployment__order"):
        host = engines.get(row.deployment.order_id)
        if host is None:
            continue
        if row.seen_at < since:
            stale.add(host)
        service = ObservedService(name=row.name, state=ServiceState.UNKNOWN, image=row.image, digest=row.digest)
        seen[host][row.deployment.order.key].append(service)
    return {host: Engine(keys=(), services=seen[host]) for host in (looked | seen.keys()) - stale}


def _look_at(runtime: Runtime, asked: Sequence[str]) -> Engine:
    services = runtime.observe(keys=asked)
    return Engine(keys=runtime.list_keys(), services=services)
