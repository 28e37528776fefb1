"""What an order builds has a name of its own: other orders on the engine start what they asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infrastructure.adapters.compose.own_images import own_images, pulled_images
from infrastructure.contracts.runtime import Composition
from tests.infrastructure.adapters.compose.planning import launched

BUILD = {"context": "."}


@pytest.mark.parametrize(
    ("services", "expected"),
    [
        ({"web": {"image": "debian:12"}}, {}),
        ({"web": {"build": BUILD}}, {}),  # Compose itself names it after the order
        ({"web": {"build": BUILD, "image": "postgis/postgis:16"}}, {"web": "live-gl1-web"}),
        (
            {"load": {"image": "maps"}, "web": {"build": BUILD, "image": "maps:latest"}, "db": {"image": "maps:2"}},
            {"load": "live-gl1-web", "web": "live-gl1-web"},
        ),
        (
            {"a": {"build": BUILD, "image": "maps"}, "b": {"build": BUILD, "image": "maps"}},
            {"a": "live-gl1-a", "b": "live-gl1-b"},
        ),
    ],
)
def test_image_that_is_built_is_named_after_the_order(
    services: dict[str, dict[str, Any]], expected: dict[str, str]
) -> None:
    assert own_images(services, "live-gl1") == expected


def test_launched_file_builds_no_image_under_a_public_name(tmp_path: Path) -> None:
    compose = (
        "services: {db: {build: {context: ., dockerfile_inline: FROM scratch}, image: 'postgis/postgis:16'}, "
        "load: {image: 'postgis/postgis:16'}, web: {image: 'nginx:1.27'}}"
    )
    composition = Composition(key="live-GL7K3M", compose=compose, bundle=b"", digest="1", environment={})
    images = {name: service["image"] for name, service in launched(composition, tmp_path).items()}
    assert images == {"db": "live-gl7k3m-db", "load": "live-gl7k3m-db", "web": "nginx:1.27"}


def test_drift_expects_only_images_of_a_registry_under_their_names() -> None:
    services = {
        "db": {"build": BUILD, "image": "maps"},
        "load": {"image": "maps:latest"},
        "web": {"image": "nginx:1.27"},
        "cache": {"image": "redis:${TAG:-7}"},
        "app": {"build": BUILD},
    }
    assert pulled_images(services) == {"web": "nginx:1.27"}
