"""The drawing of a composition: what Compose makes of it, in shapes and in words."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from products.adapters.compose.config import ComposeConfig
from products.pictures.drawing import draw_composition, scene_of
from products.pictures.outline import outline_of

COMPOSE = """\
services:
  gateway:
    image: registry.example.org:5000/sdi/gateway:1.2
    expose: ["8080"]
    restart: unless-stopped
    depends_on:
      maps: {condition: service_healthy}
      load: {condition: service_completed_successfully}
    volumes: ["cache:/var/cache:ro", "./nginx.conf:/etc/nginx.conf:ro"]
  maps:
    extends: {file: base.yaml, service: maps}
    depends_on: [database]
  load: {image: "loader:3", depends_on: [database], volumes: ["data:/in"]}
  database: {image: "postgis@sha256:%s", restart: always, volumes: ["data:/srv"]}
  tools: {image: tools, profiles: [debug]}
volumes: {data: , cache: }
""" % ("0" * 64)
BASE = "services: {maps: {build: ./maps, expose: ['9000', '9001'], restart: always}}"
ENDPOINTS = [
    {"application": "Map", "service": "gateway", "port": 8080},
    {"application": "Web Map Service", "service": "gateway", "port": 8080},
]
PLAIN = {"name": "web", "kind": "running", "image": "", "build": "", "ports": [], "volumes": [], "needs": []}


@pytest.fixture(scope="module")
def outline() -> dict[str, Any]:
    files = {"compose.yaml": COMPOSE.encode(), "base.yaml": BASE.encode()}
    read = ComposeConfig().read(files, {}, all_profiles=True)
    return outline_of(read.model, read.root)


def test_outline_says_what_compose_starts(outline: dict[str, Any]) -> None:
    services = {service["name"]: service for service in outline["services"]}
    assert {name: service["kind"] for name, service in services.items()} == {
        "database": "running",
        "gateway": "running",
        "load": "job",
        "maps": "running",
        "tools": "never",
    }
    assert services["maps"]["build"] == "maps"
    assert services["maps"]["ports"] == ["9000", "9001"]
    assert services["gateway"]["volumes"] == [{"name": "cache", "target": "/var/cache", "read_only": True}]
    assert [need["name"] for need in services["gateway"]["needs"]] == ["load", "maps"]


def test_every_service_volume_and_port_is_a_box_and_every_use_a_line(outline: dict[str, Any]) -> None:
    scene = scene_of(outline, ENDPOINTS)
    assert {node.key for node in scene.nodes} == {
        *(f"service {name}" for name in ("database", "gateway", "load", "maps", "tools")),
        *("volume data", "volume cache", "entry gateway 8080"),
    }
    assert scene.links["entry gateway 8080", "service gateway"] == "opens"
    assert scene.links["service gateway", "service load"] == "awaits"
    assert scene.links["service gateway", "service maps"] == "needs"
    assert scene.links["service database", "volume data"] == scene.links["service load", "volume data"] == "mounts"


def test_drawing_is_an_svg_with_title_and_description(outline: dict[str, Any]) -> None:
    svg = draw_composition(outline, ENDPOINTS, title="Composition of <Maps>", key="c1")
    root = ElementTree.fromstring(svg)  # noqa: S314  (our own)
    space = "{http://www.w3.org/2000/svg}"
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "c1-title c1-desc"
    assert root.findtext(f"{space}title") == "Composition of <Maps>"
    text = root.findtext(f"{space}desc") or ""
    assert "Port 8080 leads to gateway: Map, Web Map Service." in text
    assert "gateway needs load, maps." in text
    assert "database keeps data in data." in text
    shown = {element.text for element in root.iter(f"{space}text")}
    assert {"gateway", "gateway:1.2", "port 8080", "built from maps", "ports 9000, 9001", "not started"} <= shown
    assert len(root.findall(f"{space}path")) == 8


def test_drawing_has_no_inline_style_or_script(outline: dict[str, Any]) -> None:
    svg = draw_composition(outline, ENDPOINTS, title="x")
    assert "style=" not in svg
    assert "<script" not in svg


def test_names_of_an_author_are_escaped_and_shortened() -> None:
    name = "<b>" + "x" * 60
    service = {
        "name": name,
        "kind": "running",
        "image": '"><script>',
        "build": "",
        "ports": [],
        "volumes": [],
        "needs": [],
    }
    svg = draw_composition({"services": [service]}, [], title="x")
    assert "<script" not in svg
    assert "<b>" not in svg
    assert f"&lt;b&gt;{'x' * 24}…" in svg


def test_composition_without_services_has_no_drawing() -> None:
    assert draw_composition({}, [], title="x") == ""


def test_many_applications_on_a_port_are_counted() -> None:
    endpoints = [{"application": f"App {number}", "service": "web", "port": 80} for number in range(9)]
    outline = {
        "services": [
            {"name": "web", "kind": "running", "image": "", "build": "", "ports": [], "volumes": [], "needs": []}
        ]
    }
    entry = scene_of(outline, endpoints).nodes[0]
    assert entry.lines == ("App 0", "App 1", "App 2", "App 3", "and 5 more")


def test_compose_document_may_be_as_plain_as_it_gets() -> None:
    read = ComposeConfig().read({"compose.yaml": yaml.safe_dump({"services": {"a": {"image": "a"}}}).encode()}, {})
    (service,) = outline_of(read.model, read.root)["services"]
    assert (service["name"], service["kind"], service["image"]) == ("a", "job", "a")


def test_outline_holds_nothing_that_cannot_be_stored() -> None:
    model = {"services": {"a": {"image": "a\0b", "volumes": [{"type": "volume", "source": "v", "target": "/\0"}]}}}
    (service,) = outline_of(model, "/root")["services"]
    assert (service["image"], service["volumes"][0]["target"]) == ("ab", "/")


def test_composition_that_nobody_could_read_is_not_drawn() -> None:
    services = [{**PLAIN, "name": f"s{number}"} for number in range(101)]
    assert draw_composition({"services": services}, [], title="x") == ""
    assert draw_composition({"services": services[:100]}, [], title="x") != ""
