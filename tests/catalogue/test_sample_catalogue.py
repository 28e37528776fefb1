from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SLUGS = sorted(path.parent.name for path in ROOT.glob("catalogue/products/*/product.yaml"))
PLATFORM = {
    "LIVE_ORDER",
    "LIVE_CUSTOMER",
    "LIVE_PRODUCT",
    "LIVE_RELEASE",
    "LIVE_SERVICE",
    "LIVE_DOMAIN",
}
FORBIDDEN = {
    "privileged",
    "network_mode",
    "pid",
    "ipc",
    "uts",
    "userns_mode",
    "devices",
    "cap_add",
    "container_name",
    "ports",
    "volumes_from",
    "env_file",
}

each_product = pytest.mark.parametrize("slug", SLUGS)


def read(slug: str, name: str) -> str:
    return (ROOT / "catalogue/products" / slug / name).read_text()


def manifest_of(slug: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load(read(slug, "product.yaml")))


def services_of(slug: str) -> dict[str, dict[str, Any]]:
    services = yaml.safe_load(read(slug, "compose.yaml"))["services"]
    return cast("dict[str, dict[str, Any]]", services)


def schema() -> Draft202012Validator:
    text = (ROOT / "products/schema/product.schema.json").read_text()
    return Draft202012Validator(yaml.safe_load(text), format_checker=Draft202012Validator.FORMAT_CHECKER)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema().schema)


def test_both_sample_products_are_there() -> None:
    assert SLUGS == ["geonetwork-geoserver", "sdi-lite"]


@each_product
def test_manifest_follows_the_schema(slug: str) -> None:
    assert [error.message for error in schema().iter_errors(manifest_of(slug))] == []


@each_product
def test_endpoints_name_a_service_and_a_port_it_exposes(slug: str) -> None:
    services = services_of(slug)
    for endpoint in manifest_of(slug)["endpoints"]:
        assert str(endpoint["port"]) in services[endpoint["service"]]["expose"]


@each_product
def test_names_are_unique(slug: str) -> None:
    manifest = manifest_of(slug)
    keys = [item["key"] for item in [*manifest["inputs"], *manifest["secrets"]]]
    for names in (
        keys,
        [endpoint["name"] for endpoint in manifest["endpoints"]],
        [plan["slug"] for plan in manifest["plans"]],
    ):
        assert len(names) == len(set(names))


@each_product
def test_services_ask_for_nothing_of_the_host(slug: str) -> None:
    for service in services_of(slug).values():
        assert not FORBIDDEN & set(service)
        mounts = service.get("volumes", [])
        assert all(re.match(r"[a-z]+:/[a-z]", mount) for mount in mounts)


@each_product
def test_mounted_volumes_are_named_ones(slug: str) -> None:
    named = set(yaml.safe_load(read(slug, "compose.yaml"))["volumes"])
    services = services_of(slug).values()
    mounted = {mount.split(":")[0] for each in services for mount in each.get("volumes", [])}
    assert mounted == named


@each_product
def test_every_service_has_a_check_and_comes_back(slug: str) -> None:
    services = services_of(slug)
    for service in services.values():
        assert service["healthcheck"]["test"]
        assert service["restart"] == "unless-stopped"
        for needed in service.get("depends_on", {}).values():
            assert needed == {"condition": "service_healthy"}


@each_product
def test_variables_are_declared_or_the_platforms(slug: str) -> None:
    manifest = manifest_of(slug)
    declared = {item["key"].upper() for item in [*manifest["inputs"], *manifest["secrets"]]}
    used = set(re.findall(r"\$\{(\w+)", read(slug, "compose.yaml")))
    assert used <= declared | PLATFORM


@each_product
def test_upstream_images_are_pinned_to_a_version(slug: str) -> None:
    dockerfiles = ROOT.glob(f"catalogue/products/{slug}/*/Dockerfile")
    lines = [line for path in dockerfiles for line in path.read_text().splitlines()]
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    stages = {line.split()[3] for line in lines if re.match(r"FROM \S+ AS ", line)}
    images = [service["image"] for service in services_of(slug).values() if "image" in service]
    for image in [*images, *set(bases).difference(stages)]:
        name, _, tag = image.rpartition(":")
        assert name, image
        assert tag == "bookworm-slim" or re.search(r"\d+(\.|-)\d", tag), image


def test_sdi_lite_builds_from_debian_alone() -> None:
    assert not any("image" in service for service in services_of("sdi-lite").values())
    for path in ROOT.glob("catalogue/products/sdi-lite/*/Dockerfile"):
        assert re.search(r"^FROM debian:bookworm-slim", path.read_text(), re.MULTILINE)


def test_sdi_lite_can_be_ordered_at_once_or_with_approval() -> None:
    plans = {plan["slug"]: plan for plan in manifest_of("sdi-lite")["plans"]}
    assert (plans["small"]["auto_approve"], plans["small"]["placement"]) == (True, "shared")
    assert (plans["standard"]["auto_approve"], plans["standard"]["placement"]) == (
        False,
        "dedicated",
    )


@pytest.mark.parametrize(
    ("section", "wrong"),
    [
        ("inputs", {"key": "Title", "label": "Title", "type": "string"}),
        ("inputs", {"key": "live_order", "label": "Order", "type": "string"}),
        ("inputs", {"key": "size", "label": "Size", "type": "choice"}),
        ("inputs", {"key": "title", "label": "Title", "type": "string", "max": 3}),
        ("secrets", {"key": "password", "label": "Password", "length": 4}),
        ("endpoints", {"name": "wms", "application": "WMS", "service": "gateway", "port": 0}),
        ("plans", {"slug": "small", "name": "Small", "price": 49}),
    ],
)
def test_schema_refuses(section: str, wrong: dict[str, Any]) -> None:
    manifest = manifest_of("sdi-lite")
    manifest[section] = [wrong]
    assert not schema().is_valid(manifest)


def test_schema_refuses_words_it_does_not_know() -> None:
    assert not schema().is_valid({**manifest_of("sdi-lite"), "colour": "blue"})
