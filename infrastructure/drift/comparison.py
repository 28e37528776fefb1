"""The differences between our records and what a provider has. Values in, values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infrastructure.contracts.cloud import Node
from infrastructure.contracts.runtime import Service


class FindingKey(NamedTuple):
    """What identifies a finding among those of its provider."""

    kind: str
    thing: str
    aspect: str
    key: str
    outside_id: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDifference:
    """A difference that exists now."""

    identity: FindingKey
    order_pk: int | None = None
    expected: str = ""
    actual: str = ""
    size: str = ""
    """The provider's ID of the size that is paid for; empty if nothing is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedServer:
    """The settled server of an order that is not removed, as recorded."""

    order_pk: int
    order_version: int
    key: str
    outside_id: str
    address: str
    size: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedComposition:
    """The settled composition of an order that is not removed, as its release defines it."""

    order_pk: int
    key: str
    host: str
    version: int
    order_version: int = 0
    is_to_run: bool = True
    always_up: frozenset[str] = frozenset()
    images: Mapping[str, str] = field(default_factory=dict)
    """Of the services whose image the release names without variables."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the deployed images."""


def compare_servers(
    expected: Iterable[ExpectedServer], nodes: Sequence[Node], spared: Collection[str]
) -> list[DriftDifference]:
    """Orphans, ghosts and drift among a provider's servers, except for the `spared` keys."""
    by_key: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.key not in spared:
            by_key[node.key].append(node)
    found: list[DriftDifference] = []
    for server in expected:
        if server.key not in spared:
            found += _of_server(server, by_key.pop(server.key, []))
    return found + [_orphan(node) for unowned in by_key.values() for node in unowned]


def _of_server(server: ExpectedServer, nodes: Sequence[Node]) -> Iterator[DriftDifference]:
    own = next((node for node in nodes if node.outside_id == server.outside_id), None)
    if own is None:
        # Another server with its key is not an orphan: the order takes it over at its next attempt.
        others = ", ".join(node.outside_id for node in nodes)
        identity = FindingKey("ghost", "server", "existence", server.key, server.outside_id, "")
        yield DriftDifference(
            identity=identity, order_pk=server.order_pk, expected=server.outside_id, actual=others, size=""
        )
        return
    for node in nodes:
        if node is not own:
            yield _orphan(node, order_pk=server.order_pk, expected=server.outside_id)
    for aspect, expected, actual in (("size", server.size, own.size), ("address", server.address, own.address)):
        if expected and actual and expected != actual:
            identity = FindingKey("drift", "server", aspect, server.key, own.outside_id, "")
            yield DriftDifference(
                identity=identity, order_pk=server.order_pk, expected=expected, actual=actual, size=own.size
            )


def _orphan(node: Node, *, order_pk: int | None = None, expected: str = "") -> DriftDifference:
    identity = FindingKey("orphan", "server", "existence", node.key, node.outside_id, "")
    actual = " · ".join(fact for fact in (str(node.state), node.address, node.size) if fact)
    return DriftDifference(identity=identity, order_pk=order_pk, expected=expected, actual=actual, size=node.size)


def compare_compositions(
    expected: Iterable[ExpectedComposition],
    observed: Mapping[str, Sequence[Service]],
    keys: Iterable[str],
    *,
    host: str,
    spared: Collection[str],
) -> list[DriftDifference]:
    """Ghosts and drift among the compositions on one host, and orphans: keys there that no order owns."""
    found: list[DriftDifference] = []
    owned = set(spared)
    for composition in expected:
        owned.add(composition.key)
        if composition.key not in spared:
            found += _of_composition(composition, observed.get(composition.key, ()))
    return found + [
        DriftDifference(identity=FindingKey("orphan", "composition", "existence", key, "", host))
        for key in sorted(set(keys) - owned)
    ]


def _of_composition(composition: ExpectedComposition, services: Sequence[Service]) -> Iterator[DriftDifference]:
    running = {service.name: service for service in services}
    missing = composition.always_up - running.keys()
    if missing and not running:
        identity = FindingKey("ghost", "composition", "existence", composition.key, "", composition.host)
        yield DriftDifference(
            identity=identity, order_pk=composition.order_pk, expected=str(len(composition.always_up)), actual="0"
        )
    elif missing:
        count = len(composition.always_up) - len(missing)
        actual = f"{count}, −{', −'.join(sorted(missing))}"
        yield _drift(composition, "containers", str(len(composition.always_up)), actual)
    unexpected = sorted(name for name, service in running.items() if _has_unexpected_image(composition, service))
    if unexpected:
        expected = ", ".join(f"{name}: {_image(composition, name)}" for name in unexpected)
        actual = ", ".join(f"{name}: {running[name].image}{_short(running[name].digest)}" for name in unexpected)
        yield _drift(composition, "image", expected, actual)


def _has_unexpected_image(composition: ExpectedComposition, service: Service) -> bool:
    """True when the image has another name, or another digest under the same name."""
    name = composition.images.get(service.name, service.image)
    digest = composition.digests.get(service.name, "")
    other_name = bool(service.image) and service.image != name
    return other_name or bool(digest and service.digest and service.digest != digest)


def _image(composition: ExpectedComposition, service: str) -> str:
    name = composition.images.get(service) or "built from the release"
    return f"{name}{_short(composition.digests.get(service, ''))}"


def _short(digest: str) -> str:
    return f" ({digest.removeprefix('sha256:')[:12]})" if digest else ""


def _drift(composition: ExpectedComposition, aspect: str, expected: str, actual: str) -> DriftDifference:
    identity = FindingKey("drift", "composition", aspect, composition.key, "", composition.host)
    return DriftDifference(identity=identity, order_pk=composition.order_pk, expected=expected, actual=actual)
