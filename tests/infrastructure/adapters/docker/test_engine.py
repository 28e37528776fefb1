"""Docker Engine's API with the wire faked: what is read, what is cleared, and honest errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import responses

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.labels import labels_of
from infrastructure.adapters.docker.engine import DockerEngine
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.docker.usage import Usage, UsageFigures
from infrastructure.contracts.runtime import Composition, EngineSnapshot, LeftBehind, Machine, Service, ServiceState

HOST = "tcp://docker.test:2375"
API = "http://docker.test:2375/v1.41"
KEY, PROJECT = "live-GL7K3M", "live-gl7k3m"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get("http://docker.test:2375/version", json={"ApiVersion": "1.41", "Version": "20.10.24"})
        mock.get(f"{API}/version", json={"ApiVersion": "1.41", "Version": "20.10.24"})
        yield mock


@pytest.fixture
def engine() -> DockerEngine:
    return DockerEngine(host=HOST)


def container(service: str, state: str, status: str, **labels: str) -> dict[str, Any]:
    named = {
        "com.docker.compose.project": PROJECT,
        "com.docker.compose.service": service,
        "live.key": KEY,
        **labels,
    }
    return {
        "Id": f"id-{service}",
        "Names": [f"/{PROJECT}-{service}-1"],
        "Image": f"{service}:1",
        "State": state,
        "Status": status,
        "Labels": named,
    }


STATES = [
    ("running", "Up 4 minutes", ServiceState.RUNNING, None),
    ("running", "Up 4 minutes (healthy)", ServiceState.RUNNING, None),
    ("running", "Up 2 seconds (health: starting)", ServiceState.STARTING, None),
    ("running", "Up 4 minutes (unhealthy)", ServiceState.UNHEALTHY, None),
    ("restarting", "Restarting (1) 5 seconds ago", ServiceState.RESTARTING, 1),
    ("exited", "Exited (137) 2 hours ago", ServiceState.STOPPED, 137),
    ("exited", "Exited (0) 2 hours ago", ServiceState.STOPPED, 0),
    ("created", "Created", ServiceState.STARTING, None),
    ("paused", "Up 4 minutes (Paused)", ServiceState.STOPPED, None),
    ("removing", "Removal In Progress", ServiceState.UNKNOWN, None),
]


@pytest.mark.parametrize(("state", "status", "ours", "code"), STATES)
def test_a_line_of_the_engines_list_is_read(
    wire: responses.RequestsMock, engine: DockerEngine, state: str, status: str, ours: ServiceState, code: int | None
) -> None:
    wire.get(f"{API}/containers/json", json=[container("web", state, status)])
    [found] = engine.containers(PROJECT)
    shown = found.as_service
    assert (shown.name, shown.state, shown.image, shown.exit_code) == ("web", ours, "web:1", code)
    assert shown.health == next((word for word in ("unhealthy", "healthy", "starting") if f"{word})" in status), "")


def test_many_keys_are_observed_in_one_call(wire: responses.RequestsMock, tmp_path: Path) -> None:
    other = container("web", "running", "Up", **{"live.key": "live-OTHER1"})
    listed = wire.get(f"{API}/containers/json", json=[container("web", "running", "Up"), other])
    found = DockerRuntime(work_dir=tmp_path, host=HOST).observe(keys=[KEY, "live-GONE01"])
    assert found == {KEY: (Service(name="web", state=ServiceState.RUNNING, image="web:1"),), "live-GONE01": ()}
    assert listed.call_count == 1


def test_a_service_that_is_being_replaced_counts_once_by_its_worse_container(
    wire: responses.RequestsMock, tmp_path: Path
) -> None:
    listed = [
        container("web", "running", "Up"),
        container("web", "created", "Created"),
        container("db", "dead", "Dead"),
    ]
    wire.get(f"{API}/containers/json", json=listed)
    found = DockerRuntime(work_dir=tmp_path, host=HOST).observe(keys=[KEY])[KEY]
    assert [(service.name, service.state) for service in found] == [
        ("db", ServiceState.STOPPED),
        ("web", ServiceState.STARTING),
    ]


def test_services_are_weighed_with_their_volumes_in_one_call(
    wire: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = datetime(2026, 3, 1, 12, tzinfo=UTC)
    usage = Usage(restarts=2, started_at=started, cpu_percent=12.5, memory_bytes=1024, memory_limit_bytes=4096)
    machine = Machine(version="20.10.24", cpus=4)
    figures = UsageFigures(by_id={"id-web": usage}, machine=machine)
    monkeypatch.setattr("infrastructure.adapters.docker.runtime.figures_of", lambda **_: figures)
    mounts = [{"Type": "volume", "Name": "data"}, {"Type": "bind", "Source": "/etc"}]
    wire.get(
        f"{API}/containers/json",
        json=[container("web", "running", "Up") | {"ImageID": "sha256:abc", "Mounts": mounts}],
    )
    volumes = [{"Name": "data", "UsageData": {"Size": 700}}, {"Name": "other", "UsageData": {"Size": 1}}]
    asked = wire.get(
        f"{API}/system/df", json={"Containers": [{"Id": "id-web", "SizeRw": 42}], "Volumes": volumes, "Images": None}
    )
    runtime = DockerRuntime(work_dir=tmp_path, host=HOST)
    found = runtime.snapshot(keys=[KEY, "live-GONE01"], with_disk=True)
    web = Service(
        name="web",
        state=ServiceState.RUNNING,
        image="web:1",
        digest="sha256:abc",
        started_at=started,
        restarts=2,
        cpu_percent=12.5,
        memory_bytes=1024,
        memory_limit_bytes=4096,
        disk_bytes=742,
    )
    assert found == EngineSnapshot(services={KEY: (web,), "live-GONE01": ()}, machine=machine)
    assert runtime.snapshot(keys=[KEY]).services[KEY][0].disk_bytes is None
    assert asked.call_count == 1


def test_states_are_seen_where_figures_are_not_to_be_had(
    wire: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> UsageFigures:
        raise PermanentError("no docker command there")

    monkeypatch.setattr("infrastructure.adapters.docker.runtime.figures_of", refuse)
    wire.get(f"{API}/containers/json", json=[container("web", "running", "Up")])
    wire.get(f"{API}/system/df", status=500, json={"message": "a disk usage operation is already running"})
    found = DockerRuntime(work_dir=tmp_path, host=HOST).snapshot(keys=[KEY], with_disk=True)
    assert found == EngineSnapshot(services={KEY: (Service(name="web", state=ServiceState.RUNNING, image="web:1"),)})


def test_what_is_left_is_named_by_kind(wire: responses.RequestsMock, engine: DockerEngine) -> None:
    everything_left(wire)
    assert engine.leftovers(PROJECT, KEY) == [
        LeftBehind(kind="container", name=f"{PROJECT}-web-1"),
        LeftBehind(kind="network", name=f"{PROJECT}_default"),
        LeftBehind(kind="volume", name=f"{PROJECT}_data"),
        LeftBehind(kind="image", name=f"{PROJECT}-web:latest"),
        LeftBehind(kind="image", name="sha256:old"),
    ]


def test_keys_are_read_from_containers_networks_and_volumes(wire: responses.RequestsMock, engine: DockerEngine) -> None:
    def project(name: str) -> dict[str, Any]:
        return {"Labels": {"com.docker.compose.project": name}}

    wire.get(f"{API}/containers/json", json=[container("web", "running", "Up")])
    wire.get(f"{API}/networks", json=[project("live-gl22"), project("somebody-elses")])
    wire.get(f"{API}/volumes", json={"Volumes": [project("live-gl33"), {"Labels": None}]})
    assert engine.keys() == [KEY, "live-gl22", "live-gl33"]


def everything_left(wire: responses.RequestsMock) -> None:
    wire.get(f"{API}/containers/json", json=[container("web", "running", "Up")])
    wire.get(f"{API}/networks", json=[{"Id": "n1", "Name": f"{PROJECT}_default"}])
    wire.get(f"{API}/volumes", json={"Volumes": [{"Name": f"{PROJECT}_data"}]})
    images = [{"Id": "sha256:new", "RepoTags": [f"{PROJECT}-web:latest"]}, {"Id": "sha256:old", "RepoTags": None}]
    wire.get(f"{API}/images/json", json=images)


BELONGINGS = ["containers/id-web", "networks/n1", f"volumes/{PROJECT}_data", "images/sha256:new", "images/sha256:old"]


def test_clearing_goes_on_past_what_is_already_gone(wire: responses.RequestsMock, engine: DockerEngine) -> None:
    everything_left(wire)
    removals = [wire.delete(f"{API}/{path}", status=404, json={"message": "gone"}) for path in BELONGINGS]
    engine.clear(PROJECT, KEY)
    assert [removal.call_count for removal in removals] == [1] * 5


def test_what_a_broken_off_build_of_the_key_left_is_cleared_and_no_other(
    wire: responses.RequestsMock, engine: DockerEngine
) -> None:
    ids = {
        "gone": None,
        "ours": [f"{PROJECT}.build:127.0.0.1", "own:10.0.0.1"],
        "other": [f"{PROJECT}x.build:127.0.0.1"],
    }
    unlabelled = [{"Id": name * 4, "Names": [f"/{name}"], "Labels": {}} for name in (*ids, "plain")]
    wire.get(f"{API}/containers/json", json=unlabelled, match=[lambda asked: ("filters=" not in str(asked.url), "")])
    wire.get(f"{API}/containers/json", json=[], match=[lambda asked: ("filters=" in str(asked.url), "")])
    for path, none in (("networks", []), ("volumes", {"Volumes": None}), ("images/json", [])):
        wire.get(f"{API}/{path}", json=none)
    wire.get(f"{API}/containers/{'gone' * 4}/json", status=404, json={"message": "gone"})
    wire.get(f"{API}/containers/{'plain' * 4}/json", json={"HostConfig": {"ExtraHosts": None}})
    for name in ("ours", "other"):
        wire.get(f"{API}/containers/{name * 4}/json", json={"HostConfig": {"ExtraHosts": ids[name]}})
    removed = wire.delete(f"{API}/containers/{'ours' * 4}", status=204)
    assert engine.leftovers(PROJECT, KEY) == [LeftBehind(kind="container", name="oursoursours")]
    engine.clear(PROJECT, KEY)
    assert removed.call_count == 1


def test_what_is_still_in_use_is_tried_again(wire: responses.RequestsMock, engine: DockerEngine) -> None:
    everything_left(wire)
    wire.delete(f"{API}/containers/id-web", status=409, json={"message": "removal is already in progress"})
    with pytest.raises(TransientError, match="already in progress"):
        engine.clear(PROJECT, KEY)


BORDER: list[tuple[dict[str, Any], type[OutsideError], str]] = [
    ({"status": 400, "json": {"message": "bad filter"}}, PermanentError, "Docker Engine: bad filter"),
    ({"status": 401, "json": {"message": "who"}}, ConfigError, "Docker Engine: who"),
    ({"status": 403, "json": {"message": "no"}}, ConfigError, "Docker Engine: no"),
    ({"status": 429, "json": {"message": "slow"}}, TransientError, "Docker Engine: slow"),
    ({"status": 500, "body": ""}, TransientError, "Docker Engine: HTTP 500"),
    ({"body": requests.exceptions.ReadTimeout("secret")}, TransientError, "cannot be reached"),
    ({"body": requests.exceptions.ConnectionError("secret")}, TransientError, "cannot be reached"),
    ({"body": ConnectionResetError("secret")}, TransientError, "cannot be reached"),
    ({"body": PermissionError(13, "Permission denied")}, ConfigError, "permission denied for this user"),
]
COMPOSITION = Composition(key=KEY, compose="services: {web: {image: x}}", bundle=b"", digest="1")
ASKS: list[Callable[[DockerRuntime], object]] = [
    lambda runtime: runtime.ensure_running(COMPOSITION),
    lambda runtime: runtime.ensure_stopped(key=KEY),
    lambda runtime: runtime.remove(key=KEY),
    lambda runtime: runtime.observe(keys=[KEY]),
    lambda runtime: runtime.snapshot(keys=[KEY], with_disk=True),
    lambda runtime: runtime.left_behind(key=KEY),
    lambda runtime: runtime.list_keys(),
]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize(("answer", "ours", "message"), BORDER)
def test_no_error_of_the_sdk_crosses_the_border(
    wire: responses.RequestsMock,
    tmp_path: Path,
    ask: Callable[[DockerRuntime], object],
    answer: dict[str, Any],
    ours: type[OutsideError],
    message: str,
) -> None:
    wire.get(f"{API}/containers/json", **answer)
    with pytest.raises(OutsideError, match=message) as caught:
        ask(DockerRuntime(work_dir=tmp_path, host=HOST))
    assert type(caught.value) is ours
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("listed", [[{"Id": "x"}], ["words"], [{"Status": "Up", "Labels": None, "State": "running"}]])
def test_an_answer_that_cannot_be_read_is_asked_for_again(
    wire: responses.RequestsMock, engine: DockerEngine, listed: list[Any]
) -> None:
    wire.get(f"{API}/containers/json", json=listed)
    with pytest.raises(TransientError, match="cannot be read"):
        engine.all_containers()


def test_an_engine_that_is_not_there_is_said_by_its_address(engine: DockerEngine) -> None:
    with responses.RequestsMock(), pytest.raises(TransientError, match=f"Engine at {HOST} cannot be reached"):
        engine.version()


def test_an_address_that_is_none_is_a_matter_of_settings() -> None:
    with pytest.raises(ConfigError, match="'gopher://x' is not the address"):
        DockerEngine(host="gopher://x")


def test_the_progress_names_who_is_waited_for_and_who_is_in_trouble(
    wire: responses.RequestsMock, tmp_path: Path
) -> None:
    runtime = DockerRuntime(work_dir=tmp_path, host=HOST)
    compose = "services: {a: {image: x}, b: {image: x}, c: {image: x}, d: {image: x}}"
    wanted = Composition(key=KEY, compose=compose, bundle=b"", digest="1")
    labels = labels_of(wanted)
    listed = [
        container("a", "running", "Up (healthy)", **labels),
        container("b", "running", "Up (health: starting)", **labels),
        container("c", "restarting", "Restarting (3) 1 second ago", **labels),
        container("d", "running", "Up (unhealthy)", **labels),
    ]
    wire.get(f"{API}/containers/json", json=listed)
    with pytest.raises(TransientError) as caught:
        runtime.ensure_running(wanted)
    assert str(caught.value) == (
        "1 of 4 services are healthy; waiting for b; c keeps restarting (exit code 3); d is unhealthy"
    )


def test_what_runs_as_wanted_needs_no_docker_command(
    wire: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    compose = (
        "services: {web: {image: x, depends_on: {seed: {condition: service_completed_successfully}}}, seed: {image: x}}"
    )
    wanted = Composition(key=KEY, compose=compose, bundle=b"", digest="1")
    labels = labels_of(wanted)
    listed = [container("web", "running", "Up", **labels), container("seed", "exited", "Exited (0) 1 s ago", **labels)]
    wire.get(f"{API}/containers/json", json=listed)
    wire.get(f"{API}/volumes", json={"Volumes": None})
    services = DockerRuntime(work_dir=tmp_path, host=HOST).ensure_running(wanted)
    assert [service.name for service in services] == ["seed", "web"]
