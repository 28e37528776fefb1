"""Compose files and products as people bring them: what the import says about each."""

from __future__ import annotations

from pathlib import Path

import pytest

from products.adapters.compose.config import ComposeConfig
from products.adapters.folder.catalogue import FolderCatalogue
from products.compose_policy import find_violations
from products.composition.startup import startup_of
from products.source_check import CheckedSource, check_source

CASES = Path(__file__).parent

PRODUCTS = {
    "a-currency-that-is-none": ["product.yaml:4: plans[0].currency: “EUD” is not a currency of ISO 4217."],
    "a-dependency-that-is-in-a-profile": [
        "compose.yaml:3: services.web.depends_on[0]: Docker Compose refuses this: "
        'service "web" depends on undefined service "db".'
    ],
    "a-network-that-is-not-declared": [
        "compose.yaml:2: services.web.networks[0]: Docker Compose refuses this: "
        'service "web" refers to undefined network front.'
    ],
    "a-volume-that-is-not-declared": [
        "compose.yaml:2: services.web.volumes[0]: Docker Compose refuses this: "
        'service "web" refers to undefined volume data.'
    ],
    "an-endpoint-in-the-network-of-another": [
        "product.yaml:3: endpoints[0].service: “web” has no network of its own (network_mode: service:net): "
        "its port cannot be reached."
    ],
    "an-endpoint-of-two-replicas": [
        "product.yaml:3: endpoints[0].service: “web” has 2 replicas, and only one of them can have the published port."
    ],
    "an-env-file-that-is-not-there": [
        "compose.yaml:2: services.web.env_file[0]: Docker Compose refuses this: env file settings.env not found."
    ],
    "an-input-called-path": [
        "product.yaml:3: inputs[0].key: PATH is read by programs, Docker or Compose themselves; use another name."
    ],
    "variables-that-nothing-fills": [
        f"compose.yaml:{line}: services.{place}: nothing fills ${{{name}}}: "
        f"make it an input or a secret, or write ${{{name}:-default}}."
        for line, place, name in (
            (3, "db.image", "POSTGIS_TAG"),
            (5, "db.environment.POSTGRES_PASSWORD", "DB_PASSWORD"),
            (7, "web.image", "MAPS_TAG"),
        )
    ],
}
COMPOSITIONS = {
    "a-fixed-address": [
        "services.web.networks.default.ipv4_address: a fixed address can be used by one order only; "
        "leave it out and use the service's name.",
        "networks.default.ipam.config: a fixed subnet or address can be used by one order only; leave it out.",
    ],
    "a-fixed-subnet": [
        "networks.back.ipam.config: a fixed subnet or address can be used by one order only; leave it out."
    ],
    "build-from-a-repository-without-scheme": [
        "services.web.build.context: “github.com/example/maps.git#main” is outside the product's folder."
    ],
    "everybodys-bridge": [
        "services.web.network_mode: “bridge” would share what belongs to the host or to another container."
    ],
    "labels-by-variable-and-on-builds": [
        "volumes.data.labels[0]: ${X} is not allowed here: what reaches the server cannot depend on variables."
    ],
    "variable-fills-an-anonymous-volume": [
        "services.web.volumes[0]: ${PLACE} is not allowed here: what reaches the server cannot depend on variables."
    ],
    "variable-names-a-stranger-in-volumes-from": [
        "services.web.volumes_from[0]: ${FROM} is not allowed here: what reaches the server cannot depend on "
        "variables.",
    ],
}


def checked(name: str) -> CheckedSource:
    """What the import finds in the case's only product."""
    (source,) = FolderCatalogue(CASES / name / "catalogue").read()
    return check_source(source)


@pytest.mark.parametrize("name", PRODUCTS)
def test_product_that_cannot_be_launched_is_refused_with_file_and_line(name: str) -> None:
    assert [str(problem) for problem in checked(name).errors] == PRODUCTS[name]


@pytest.mark.parametrize("name", COMPOSITIONS)
def test_composition_that_would_meet_others_is_refused(name: str) -> None:
    text = (CASES / name / "compose.yaml").read_text()
    assert find_violations(text) == COMPOSITIONS[name]


def test_service_with_an_inherited_profile_is_not_waited_for() -> None:
    content = (CASES / "extends-a-template-with-a-profile" / "compose.yaml").read_bytes()
    launched = startup_of(ComposeConfig().read({"compose.yaml": content}, {}).model)
    assert launched.running | launched.jobs == {"web"}
    judged = startup_of(ComposeConfig().read({"compose.yaml": content}, {}, all_profiles=True).model)
    assert judged.never == {"base", "extra"}
