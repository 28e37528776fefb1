"""What is launched for an order: Compose's model of the release, and what makes it this order's."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import PermanentError
from infrastructure.adapters.compose.carried import pack_files
from infrastructure.adapters.compose.folder import held_folder
from infrastructure.adapters.compose.labels import settings_digest
from infrastructure.contracts.runtime import Composition, Port
from tests.infrastructure.adapters.compose.planning import launched, plan, plan_in
from tests.infrastructure.contracts.test_runtime_contract import bundle

COMPOSE = """
services:
  gateway:
    build: ./gateway
    ports: ["80:80"]
    restart: unless-stopped
    depends_on: {loader: {condition: service_completed_successfully}}
    labels: {live.key: live-stranger, com.example.team: maps}
  loader: {image: "debian:bookworm-slim", container_name: loader, depends_on: [database]}
  database: {image: "postgis:16", restart: always}
  cleanup: {image: "debian:bookworm-slim", restart: on-failure}
  debug: {image: "debian:bookworm-slim", profiles: [debug]}
  spare: {image: "debian:bookworm-slim", deploy: {replicas: 0}}
"""
WANTED = Composition(
    key="live-GL7K3M",
    compose=COMPOSE,
    bundle=bundle(**{"gateway/Dockerfile": "FROM debian:bookworm-slim\n"}),
    digest="sha256:1",
    ports=(Port(service="gateway", container_port=80, host_port=20001),),
    environment={"PASSWORD": "a$b\"c'd#e"},
)


def changed(compose: str, **files: str) -> Composition:
    return replace(WANTED, compose=compose, bundle=bundle(**files), ports=())


def test_every_service_gets_the_orders_environment(tmp_path: Path) -> None:
    services = launched(WANTED, tmp_path)
    assert {name: service["environment"] for name, service in services.items()} == {
        name: {"PASSWORD": "a$b\"c'd#e", "LIVE_SERVICE": name}
        for name in ("gateway", "loader", "database", "cleanup", "spare")
    }


def test_labels_kept_for_the_platform_are_the_platforms(tmp_path: Path) -> None:
    services = launched(WANTED, tmp_path)
    ours = {"live.key": "live-GL7K3M", "live.digest": "sha256:1", "live.settings": settings_digest(WANTED)}
    assert services["database"]["labels"] == ours
    assert services["gateway"]["labels"] == {**ours, "com.example.team": "maps"}
    assert services["loader"]["labels"] == {**ours, "live.job": "yes"}
    assert services["cleanup"]["labels"] == {**ours, "live.job": "once"}


def test_only_the_orders_ports_are_published(tmp_path: Path) -> None:
    services = launched(WANTED, tmp_path)
    assert [port["published"] for port in services["gateway"].pop("ports")] == ["20001"]
    assert not any("ports" in service for service in services.values())


def test_no_container_has_a_fixed_name(tmp_path: Path) -> None:
    assert "container_name" not in launched(WANTED, tmp_path)["loader"]


def test_built_images_are_labelled_and_only_the_classic_builders_containers_are_marked(tmp_path: Path) -> None:
    """BuildKit leaves none behind, and would build anew for each name."""
    build = launched(WANTED, tmp_path)["gateway"]["build"]
    assert build["labels"] == {"live.key": "live-GL7K3M"}
    assert "extra_hosts" not in build
    services = launched(WANTED, tmp_path, classic=True)
    assert services["gateway"]["build"]["extra_hosts"] == ["live-gl7k3m.build=127.0.0.1"]
    assert "build" not in services["database"]


def test_a_port_of_a_service_that_is_not_there_is_permanent(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="no service 'x' for port 1"):
        plan(replace(WANTED, ports=(Port(service="x", container_port=1, host_port=2),)), tmp_path)


def test_what_is_not_started_is_not_expected_and_what_may_end_is_a_job(tmp_path: Path) -> None:
    expected = plan(WANTED, tmp_path)
    assert expected.running == {"gateway", "database"}
    assert expected.jobs == {"loader", "cleanup"}
    assert expected.awaited == {"loader"}
    assert expected.once == {"cleanup"}


@pytest.mark.parametrize(
    "server",
    [
        "web: {image: x, restart: 'no', healthcheck: {test: [CMD, 'true']}}",
        "web: {image: x, restart: on-failure}\n"
        "  other: {image: x, restart: always, depends_on: {web: {condition: service_healthy}}}",
    ],
    ids=["has a check", "is waited for"],
)
def test_a_service_whose_health_is_asked_for_is_no_job(tmp_path: Path, server: str) -> None:
    assert "web" in plan(changed(f"services:\n  {server}\n"), tmp_path).running


def test_a_service_with_an_endpoint_is_no_job(tmp_path: Path) -> None:
    wanted = changed("services: {web: {image: x, restart: 'no'}}")
    port = Port(service="web", container_port=80, host_port=20001)
    assert plan(wanted, tmp_path).jobs == {"web"}
    assert plan(replace(wanted, ports=(port,)), tmp_path).running == {"web"}


FILES = {"site.conf": "site", "conf.d/a.conf": "a", "conf.d/deep/b.conf": "b", "key.txt": "k", "unused": "u"}
READS = """
services:
  web:
    image: x
    volumes: ["./conf.d:/etc/conf.d:ro", "data:/data"]
    configs: [{source: site, target: /etc/site.conf}, text]
    secrets: [key]
volumes: {data: {}}
configs: {site: {file: site.conf}, text: {content: "${PASSWORD}"}}
secrets: {key: {file: key.txt}}
"""


def test_files_of_the_release_are_mounted_from_the_host_for_reading_only(tmp_path: Path) -> None:
    web = launched(changed(READS, **FILES), tmp_path, files_root="/var/files")["web"]
    mounts: list[dict[str, Any]] = [mount for mount in web["volumes"] if mount["type"] == "bind"]
    assert {mount["source"]: mount["target"] for mount in mounts} == {
        "/var/files/conf.d": "/etc/conf.d",
        "/var/files/site.conf": "/etc/site.conf",
        "/var/files/key.txt": "/run/secrets/key",
    }
    assert all(mount["read_only"] and not mount["bind"].get("create_host_path") for mount in mounts)
    assert [config["source"] for config in web["configs"]] == ["text"]
    assert "secrets" not in web


def test_only_what_is_read_is_carried(tmp_path: Path) -> None:
    files = plan(changed(READS, **FILES), tmp_path).files
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        modes = {member.name: member.mode for member in archive}
    assert modes == {
        "conf.d": 0o755,
        "conf.d/a.conf": 0o444,
        "conf.d/deep": 0o755,
        "conf.d/deep/b.conf": 0o444,
        "key.txt": 0o444,
        "site.conf": 0o444,
    }
    assert plan(WANTED, tmp_path).files == b""


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "conf").mkdir(parents=True)
        (tmp_path / name / "conf" / "a").write_text("a")
    assert pack_files(tmp_path / "one", ["conf"]) == pack_files(tmp_path / "two", ["conf"])


@pytest.mark.parametrize(
    ("volume", "message"),
    [
        ("./conf.d:/etc/conf.d", "service web may only read the release's own files: mount 'conf.d' with :ro"),
        ("./nowhere:/x:ro", "the release has no file 'nowhere', which service web reads"),
    ],
)
def test_a_mount_that_cannot_be_kept_is_permanent(tmp_path: Path, volume: str, message: str) -> None:
    compose = f"services: {{web: {{image: x, volumes: ['{volume}']}}}}"
    with pytest.raises(PermanentError, match=message):
        plan(changed(compose, **FILES), tmp_path)


def test_the_plan_shows_no_secrets(tmp_path: Path) -> None:
    with held_folder(tmp_path, WANTED.key) as folder:
        shown = repr(plan_in(folder, changed(READS, **FILES)))
    assert "a$b" not in shown


def test_settings_are_compared_without_being_shown() -> None:
    digest = settings_digest(WANTED)
    assert settings_digest(Composition(key="live-GL7K3M", compose="", bundle=b"", digest="9")) != digest
    assert "a$b" not in digest
