"""The rules of a comparison: what is an orphan, a ghost, a drift, and what is skipped."""

from __future__ import annotations

from dataclasses import replace

from infrastructure.contracts.cloud import Node, NodeState
from infrastructure.contracts.runtime import Service, ServiceState
from infrastructure.drift.comparison import (
    DriftDifference,
    ExpectedComposition,
    ExpectedServer,
    compare_compositions,
    compare_servers,
)

OURS = ExpectedServer(
    order_pk=7, order_version=1, key="live-gl1", outside_id="n-1", address="192.0.2.1", size="small", version=1
)
MAPS = ExpectedComposition(
    order_pk=7, key="live-gl1", host="", version=1, always_up=frozenset({"db", "gateway"}), images={"db": "postgis:16"}
)


def node(outside_id: str = "n-1", *, key: str = "live-gl1", address: str = "192.0.2.1", size: str = "small") -> Node:
    return Node(outside_id=outside_id, key=key, state=NodeState.RUNNING, address=address, size=size)


def service(name: str, image: str = "", digest: str = "") -> Service:
    return Service(name=name, state=ServiceState.RUNNING, image=image, digest=digest)


def identities(found: list[DriftDifference]) -> list[tuple[str, str, str, str]]:
    return [
        (finding.identity.kind, finding.identity.aspect, finding.identity.key, finding.identity.outside_id)
        for finding in found
    ]


def test_a_server_as_recorded_is_no_finding() -> None:
    assert compare_servers([OURS], [node()], set()) == []


def test_node_without_an_order_is_an_orphan() -> None:
    (finding,) = compare_servers([], [node("n-9", key="live-gl9")], set())
    assert identities([finding]) == [("orphan", "existence", "live-gl9", "n-9")]
    assert (finding.order_pk, finding.size, finding.actual) == (None, "small", "running · 192.0.2.1 · small")


def test_second_node_under_one_key_is_an_orphan_and_the_first_is_not() -> None:
    (finding,) = compare_servers([OURS], [node(), node("n-2")], set())
    assert identities([finding]) == [("orphan", "existence", "live-gl1", "n-2")]
    assert (finding.order_pk, finding.expected) == (7, "n-1")


def test_server_whose_node_is_gone_is_a_ghost() -> None:
    assert identities(compare_servers([OURS], [], set())) == [("ghost", "existence", "live-gl1", "n-1")]


def test_node_that_took_the_place_of_a_ghost_is_named_and_no_orphan() -> None:
    (finding,) = compare_servers([OURS], [node("n-2")], set())
    assert (finding.identity.kind, finding.actual) == ("ghost", "n-2")


def test_other_size_and_other_address_are_drift() -> None:
    found = compare_servers([OURS], [node(address="192.0.2.9", size="large")], set())
    assert [(finding.identity.aspect, finding.expected, finding.actual) for finding in found] == [
        ("size", "small", "large"),
        ("address", "192.0.2.1", "192.0.2.9"),
    ]


def test_a_provider_that_does_not_report_sizes_has_no_drift() -> None:
    assert compare_servers([OURS], [node(size="")], set()) == []


def test_spared_keys_are_skipped() -> None:
    assert compare_servers([OURS], [node("n-2"), node("n-3", key="live-gl3")], {"live-gl1", "live-gl3"}) == []
    assert compare_compositions([MAPS], {}, ["live-gl1"], host="", spared={"live-gl1"}) == []


def test_composition_as_released_is_no_finding() -> None:
    found = {"live-gl1": (service("db", "postgis:16"), service("gateway", "anything"))}
    assert compare_compositions([MAPS], found, ["live-gl1"], host="", spared=set()) == []


def test_missing_container_is_drift_by_count() -> None:
    (finding,) = compare_compositions([MAPS], {"live-gl1": (service("db"),)}, ["live-gl1"], host="", spared=set())
    assert (finding.identity.aspect, finding.expected, finding.actual) == ("containers", "2", "1, −gateway")


def test_composition_of_which_nothing_is_left_is_a_ghost_and_not_a_drift() -> None:
    (finding,) = compare_compositions([MAPS], {}, [], host="", spared=set())
    assert finding.identity == ("ghost", "composition", "existence", "live-gl1", "", "")
    assert (finding.order_pk, finding.expected, finding.actual) == (7, "2", "0")
    only_once = replace(MAPS, always_up=frozenset[str]())
    assert compare_compositions([only_once], {}, [], host="", spared=set()) == []


def test_other_image_is_drift() -> None:
    found = {"live-gl1": (service("db", "sha256:0ff"), service("gateway"))}
    (finding,) = compare_compositions([MAPS], found, ["live-gl1"], host="", spared=set())
    assert (finding.identity.aspect, finding.expected, finding.actual) == ("image", "db: postgis:16", "db: sha256:0ff")


def test_another_image_under_the_same_name_is_drift_by_its_digest() -> None:
    deployed = replace(MAPS, digests={"db": "sha256:0123456789abcdef", "gateway": "sha256:aa"})
    same = {"live-gl1": (service("db", "postgis:16", "sha256:0123456789abcdef"), service("gateway", "g", "sha256:aa"))}
    assert compare_compositions([deployed], same, ["live-gl1"], host="", spared=set()) == []
    other = {"live-gl1": (service("db", "postgis:16", "sha256:fedcba9876543210"), service("gateway", "g", ""))}
    (finding,) = compare_compositions([deployed], other, ["live-gl1"], host="", spared=set())
    assert (finding.identity.aspect, finding.expected) == ("image", "db: postgis:16 (0123456789ab)")
    assert finding.actual == "db: postgis:16 (fedcba987654)"


def test_composition_without_an_order_is_an_orphan_of_its_host() -> None:
    (finding,) = compare_compositions([], {}, ["live-gl9"], host="10.0.0.7", spared=set())
    assert finding.identity == ("orphan", "composition", "existence", "live-gl9", "", "10.0.0.7")
