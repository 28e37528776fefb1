"""The override and the env file of one order: text in, text out."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from core.errors import PermanentError
from infrastructure.adapters.compose.files import env_text, override_text, read_compose, settings_digest
from infrastructure.contracts.runtime import Composition, Port

COMPOSE = """
services:
  gateway: {build: ./gateway, ports: ["80:80"], depends_on: {loader: {condition: service_completed_successfully}}}
  loader: {image: "debian:bookworm-slim", container_name: loader, depends_on: [database]}
  database: {image: "postgis:16", depends_on: {}}
  debug: {image: "debian:bookworm-slim", profiles: [debug]}
"""
WANTED = Composition(
    key="live-GL7K3M",
    compose=COMPOSE,
    bundle=b"",
    digest="sha256:1",
    ports=(Port(service="gateway", container_port=80, host_port=20001),),
    environment={"PASSWORD": "a$b\"c'd#e"},
)


class Loader(yaml.SafeLoader):
    """Reads Compose's merge tags as (tag, value)."""


def tagged(loader: Loader, tag: str, node: yaml.Node) -> tuple[str, Any]:
    if isinstance(node, yaml.SequenceNode):
        return tag, loader.construct_sequence(node)
    return tag, None


Loader.add_multi_constructor("!", tagged)


def services(wanted: Composition) -> Any:
    return yaml.load(override_text(wanted, read_compose(wanted.compose)), Loader=Loader)["services"]  # noqa: S506


def test_every_service_gets_its_environment_with_dollars_that_survive() -> None:
    written = services(WANTED)
    assert {name: service["environment"] for name, service in written.items()} == {
        name: {"PASSWORD": "a$$b\"c'd#e", "LIVE_SERVICE": name} for name in ("gateway", "loader", "database", "debug")
    }


def test_every_service_is_labelled_with_what_it_was_made_from() -> None:
    labels = services(WANTED)["database"]["labels"]
    assert labels == {"live.key": "live-GL7K3M", "live.digest": "sha256:1", "live.settings": settings_digest(WANTED)}


def test_only_the_given_ports_are_published() -> None:
    ports = {name: service["ports"] for name, service in services(WANTED).items()}
    nothing = ("reset", None)
    assert ports == {
        "gateway": ("override", ["20001:80"]),
        "loader": nothing,
        "database": nothing,
        "debug": nothing,
    }


def test_a_fixed_container_name_is_taken_away() -> None:
    written = services(WANTED)
    assert written["loader"]["container_name"] == ("reset", None)
    assert "container_name" not in written["gateway"]


def test_built_images_are_labelled_with_the_key() -> None:
    written = services(WANTED)
    assert written["gateway"]["build"] == {"labels": {"live.key": "live-GL7K3M"}}
    assert "build" not in written["database"]


def test_only_the_classic_builders_containers_are_marked_by_a_name() -> None:
    """BuildKit leaves none behind, and would build anew for each name."""
    compose = read_compose(WANTED.compose)
    mark = "live-gl7k3m.build:127.0.0.1"
    assert mark not in override_text(WANTED, compose)
    written = yaml.load(override_text(WANTED, compose, classic=True), Loader=Loader)["services"]  # noqa: S506
    assert written["gateway"]["build"] == {"labels": {"live.key": "live-GL7K3M"}, "extra_hosts": [mark]}
    assert "build" not in written["database"]


def test_a_port_of_a_service_that_is_not_there_is_permanent() -> None:
    wanted = Composition(
        key="live-A", compose=COMPOSE, bundle=b"", digest="1", ports=(Port(service="x", container_port=1, host_port=2),)
    )
    with pytest.raises(PermanentError, match="no service 'x' for port 1"):
        services(wanted)


def test_services_that_end_and_services_of_a_profile_are_not_expected_to_stay() -> None:
    compose = read_compose(COMPOSE)
    assert compose.always_up == {"gateway", "database"}
    assert compose.run_once == {"loader"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("services: [broken", r"not valid YAML \(line 1\)"),
        ("a: !!python/object:os.system x", "not valid YAML"),
        ("", "has no services"),
        ("just words", "has no services"),
        ("services: {web: }", "has no services"),
    ],
)
def test_what_is_no_compose_file_is_permanent(text: str, words: str) -> None:
    with pytest.raises(PermanentError, match=words):
        read_compose(text)


def test_the_env_file_quotes_what_has_a_meaning() -> None:
    assert env_text({"A": 'x$Y "z" \\ #\nend', "B": ""}) == 'A="x\\$Y \\"z\\" \\\\ #\\nend"\nB=""\n'


def test_settings_are_told_apart_without_being_told() -> None:
    digest = settings_digest(WANTED)
    assert settings_digest(Composition(key="live-GL7K3M", compose="", bundle=b"", digest="9")) != digest
    assert "a$b" not in digest
