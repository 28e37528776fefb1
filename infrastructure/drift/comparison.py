"""What differs between what our rows say and what a provider shows. Pure values in, pure values out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from infrastructure.contracts.cloud import Node
from infrastructure.contracts.runtime import Service


class FindingKey(NamedTuple):
    """What tells one finding of a provider from another."""

    kind: str
    thing: str
    aspect: str
    key: str
    outside_id: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference, seen now."""

    identity: FindingKey
    order_pk: int | None = None
    expected: str = ""
    actual: str = ""
    size: str = ""
    """The provider's name of what is paid for, where something is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedServer:
    """The settled server of a living order, as our row has it."""

    order_pk: int
    order_version: int
    key: str
    outside_id: str
    address: str
    size: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedComposition:
    """The settled composition of a living order, as its release has it."""

    order_pk: int
    key: str
    host: str
    version: int
    order_version: int = 0
    is_to_run: bool = True
    always_up: frozenset[str] = frozenset()
    images: Mapping[str, str] = field(default_factory=dict)
    """Of the services whose image the release names outright."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of the images that were deployed."""


def compare_servers(
    known: Iterable[ExpectedServer], nodes: Sequence[Node], spared: Collection[str]
) -> list[Difference]:
    """Orphans, ghosts and drift among a provider's servers; nothing is said of keys that are `spared`."""
    by_key: dict[str, list[Node]] = defaultdict(list)
    for node in nodes:
        if node.key not in spared:
            by_key[node.key].append(node)
    found: list[Difference] = []
    for server in known:
        if server.key not in spared:
            found += _of_server(server, by_key.pop(server.key, []))
    return found + [_orphan(node) for strays in by_key.values() for node in strays]


def _of_server(server: ExpectedServer, carrying: Sequence[Node]) -> Iterator[Difference]:
    own = next((node for node in carrying if node.outside_id == server.outside_id), None)
    if own is None:
        # Another server under its key is not stray: the next try of the order takes it.
        others = ", ".join(node.outside_id for node in carrying)
        identity = FindingKey("ghost", "server", "existence", server.key, server.outside_id, "")
        yield Difference(
            identity=identity, order_pk=server.order_pk, expected=server.outside_id, actual=others, size=""
        )
        return
    for node in carrying:
        if node is not own:
            yield _orphan(node, order_pk=server.order_pk, expected=server.outside_id)
    for aspect, expected, actual in (("size", server.size, own.size), ("address", server.address, own.address)):
        if expected and actual and expected != actual:
            identity = FindingKey("drift", "server", aspect, server.key, own.outside_id, "")
            yield Difference(
                identity=identity, order_pk=server.order_pk, expected=expected, actual=actual, size=own.size
            )


def _orphan(node: Node, *, order_pk: int | None = None, expected: str = "") -> Difference:
    identity = FindingKey("orphan", "server", "existence", node.key, node.outside_id, "")
    told = " · ".join(one for one in (str(node.state), node.address, node.size) if one)
    return Difference(identity=identity, order_pk=order_pk, expected=expected, actual=told, size=node.size)


def compare_compositions(
    known: Iterable[ExpectedComposition],
    seen: Mapping[str, Sequence[Service]],
    keys: Iterable[str],
    *,
    host: str,
    spared: Collection[str],
) -> list[Difference]:
    """Ghosts and drift of the compositions known on one host, and the keys that stand there without an order."""
    found: list[Difference] = []
    expected = set(spared)
    for composition in known:
        expected.add(composition.key)
        if composition.key not in spared:
            found += _of_composition(composition, seen.get(composition.key, ()))
    strays = sorted(set(keys) - expected)
    return found + [
        Difference(identity=FindingKey("orphan", "composition", "existence", key, "", host)) for key in strays
    ]


def _of_composition(composition: ExpectedComposition, services: Sequence[Service]) -> Iterator[Difference]:
    seen = {service.name: service for service in services}
    missing = composition.always_up - seen.keys()
    if missing and not seen:
        identity = FindingKey("ghost", "composition", "existence", composition.key, "", composition.host)
        yield Difference(
            identity=identity, order_pk=composition.order_pk, expected=str(len(composition.always_up)), actual="0"
        )
    elif missing:
        there = len(composition.always_up) - len(missing)
        actual = f"{there}, −{', −'.join(sorted(missing))}"
        yield _drift(composition, "containers", str(len(composition.always_up)), actual)
    strange = sorted(name for name, service in seen.items() if _is_strange(composition, service))
    if strange:
        expected = ", ".join(f"{name}: {_image(composition, name)}" for name in strange)
        actual = ", ".join(f"{name}: {seen[name].image}{_short(seen[name].digest)}" for name in strange)
        yield _drift(composition, "image", expected, actual)


def _is_strange(composition: ExpectedComposition, service: Service) -> bool:
    """It runs under another name, or under the same name another image."""
    name = composition.images.get(service.name, service.image)
    digest = composition.digests.get(service.name, "")
    other_name = bool(service.image) and service.image != name
    return other_name or bool(digest and service.digest and service.digest != digest)


def _image(composition: ExpectedComposition, service: str) -> str:
    name = composition.images.get(service) or "built from the release"
    return f"{name}{_short(composition.digests.get(service, ''))}"


def _short(digest: str) -> str:
    return f" ({digest.removeprefix('sha256:')[:12]})" if digest else ""


def _drift(composition: ExpectedComposition, aspect: str, expected: str, actual: str) -> Difference:
    identity = FindingKey("drift", "composition", aspect, composition.key, "", composition.host)
    return Difference(identity=identity, order_pk=composition.order_pk, expected=expected, actual=actual)
