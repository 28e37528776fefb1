"""What differs between two releases, line by line."""

from __future__ import annotations

from typing import Any

from products.release_diff import DiffKind, ReleaseContent, compare_releases

OLD = """
services:
  web:
    image: nginx:1.24
    environment: [MODE=fast, KEEP=1]
    volumes: ["maps:/maps:ro", "./site.conf:/etc/site.conf:ro"]
    mem_limit: 1g
  worker: {build: worker}
volumes: {maps: {}, cache: {}}
"""
NEW = """
services:
  web:
    image: nginx:1.27
    environment: {MODE: safe, KEEP: 1, LOG: }
    volumes: [{type: volume, source: maps, target: /srv/maps}]
    mem_limit: 2g
  search: {image: "elastic:8"}
volumes: {maps: {}}
"""


def endpoint(application: str, path: str) -> dict[str, Any]:
    return {"application": application, "service": "web", "port": 80, "path": path, "check": {"path": path}}


def sections(old: str, new: str, before: Any = None, after: Any = None) -> dict[str, list[tuple[str, str, str, str]]]:
    """The lines of each section, as plain tuples."""
    compared = compare_releases(
        ReleaseContent(compose=old, manifest=before or {}), ReleaseContent(compose=new, manifest=after or {})
    )
    return {
        section.key: [(line.kind.value, line.name, line.before, line.after) for line in section.lines]
        for section in compared
    }


def test_services_and_their_images_are_compared_by_name() -> None:
    assert sections(OLD, NEW)["images"] == [
        ("added", "search", "", "elastic:8"),
        ("changed", "web", "nginx:1.24", "nginx:1.27"),
        ("removed", "worker", "built from the release", ""),
    ]


def test_both_spellings_of_an_environment_are_the_same_to_the_reader() -> None:
    assert sections(OLD, NEW)["environment"] == [
        ("added", "web · LOG", "", ""),
        ("changed", "web · MODE", "fast", "safe"),
    ]


def test_named_volumes_are_compared_with_their_mounts_and_files_are_not_volumes() -> None:
    assert sections(OLD, NEW)["volumes"] == [
        ("removed", "cache", "", ""),
        ("changed", "maps", "web:/maps", "web:/srv/maps"),
    ]


def test_the_rest_of_a_service_is_its_configuration() -> None:
    assert sections(OLD, NEW)["configuration"] == [("changed", "web · mem_limit", "1g", "2g")]


def test_endpoints_inputs_and_secrets_come_from_the_manifest() -> None:
    before = {
        "endpoints": [endpoint("Maps", "/wms")],
        "inputs": [{"key": "title", "label": "Title"}],
        "secrets": [{"key": "admin_password"}],
    }
    after = {
        "endpoints": [endpoint("Maps", "/ows"), endpoint("Catalogue", "/csw")],
        "inputs": [{"key": "title", "label": "Name"}],
        "secrets": [],
    }
    found = sections(OLD, OLD, before, after)
    assert found["endpoints"] == [
        ("added", "Catalogue", "", "web:80/csw, checked at /csw"),
        ("changed", "Maps", "web:80/wms, checked at /wms", "web:80/ows, checked at /ows"),
    ]
    assert found["inputs"] == [("changed", "title", "Title", "Name")]
    assert found["secrets"] == [("removed", "admin_password", "", "")]


def test_releases_that_run_the_same_have_no_section_at_all() -> None:
    assert sections(OLD, OLD) == {}
    assert sections("{}", "services: {}") == {}


def test_every_difference_is_of_a_kind_that_the_pages_know() -> None:
    kinds = {line[0] for lines in sections(OLD, NEW).values() for line in lines}
    assert kinds == {kind.value for kind in DiffKind}
