"""What the outside shows of a provider: one list of its servers, and one look at each engine."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from infrastructure.adapters.words import Node, Runtime, Service
from infrastructure.models import Provider, Server
from infrastructure.outside import engine_of, get_cloud, get_own_runtime, get_runtime
from infrastructure.reconciling.known import Known, read_known
from live.lib.errors import OutsideError


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What one engine shows: every key of ours, and the services of the keys that were asked for."""

    keys: Collection[str]
    services: Mapping[str, Sequence[Service]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A provider as the outside shows it; an engine that did not answer is a trouble and not an empty host."""

    before: Known
    nodes: Sequence[Node] | None
    """None where servers are only lent: nothing is made there, so nothing can be missing."""
    engines: Mapping[str, Engine] = field(default_factory=dict)
    troubles: Sequence[str] = ()


def look(provider: Provider) -> Seen:
    """What stands at the provider; raises OutsideError if its list of servers is not to be had."""
    before = read_known(provider)
    nodes = get_cloud(provider).list_servers() if provider.makes_servers else None
    engines, troubles = {}, []
    for host, runtime in engines_of(provider).items():
        asked = [one.key for one in before.compositions.values() if one.host == host]
        try:
            engines[host] = _look_at(runtime, asked)
        except OutsideError as error:
            troubles.append(f"{host}: {error}" if host else str(error))
    return Seen(before=before, nodes=nodes, engines=engines, troubles=troubles)


def engines_of(provider: Provider) -> dict[str, Runtime]:
    """The engines on which the provider's compositions stand, by host."""
    if (shared := get_own_runtime(provider)) is not None:
        return {"": shared}
    servers = Server.objects.standing().filter(provider=provider, deployment__isnull=False)
    return {engine_of(one): get_runtime(one) for one in servers.select_related("provider", "host", "order")}


def _look_at(runtime: Runtime, asked: Sequence[str]) -> Engine:
    services = runtime.observe(keys=asked)
    return Engine(keys=runtime.list_keys(), services=services)
