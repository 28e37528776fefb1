"""Cases found in real compose files, on the launching side: what the container gets, and what is waited for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.errors import PermanentError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.contracts.runtime import Composition
from tests.infrastructure.adapters.compose.planning import launched, plan

CASES = Path(__file__).parent


def case(name: str, **environment: str) -> Composition:
    """The case's composition for one order."""
    compose = (CASES / name / "compose.yaml").read_text()
    return Composition(key="live-TRY", compose=compose, bundle=b"", digest="1", environment=environment)


@pytest.mark.parametrize("name", ["a-default-loses-to-an-empty-input", "inputs-that-look-like-numbers"])
def test_the_container_gets_what_is_right(name: str, tmp_path: Path) -> None:
    given, right = (json.loads((CASES / name / f"{file}.json").read_text()) for file in ("input", "right"))
    environment = launched(case(name, **given), tmp_path)["web"]["environment"]
    assert {variable: environment[variable] for variable in right} == right


@pytest.mark.parametrize("name", ["a-service-scaled-to-none", "extends-a-template-with-a-profile"])
def test_only_what_is_started_is_waited_for(name: str, tmp_path: Path) -> None:
    assert plan(case(name), tmp_path).expected == {"web"}


@pytest.mark.parametrize(
    ("name", "environment", "message"),
    [
        ("everybodys-bridge", {}, r"services\.web\.network_mode"),
        ("labels-by-variable-and-on-builds", {"X": "live.key=live-somebody"}, r"volumes\.data\.labels\.live\.key"),
    ],
)
def test_what_is_not_allowed_is_refused_again_before_each_launch(
    name: str, environment: dict[str, str], message: str, tmp_path: Path
) -> None:
    runtime = DockerRuntime(work_dir=tmp_path, host="tcp://never.asked:1")
    with pytest.raises(PermanentError, match=f"something that is not allowed: {message}"):
        runtime.ensure_running(case(name, **environment))
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_becomes_a_mount_is_refused_before_the_launch(tmp_path: Path) -> None:
    compose = "services: {web: {image: x, volumes: ['/${PLACE}']}}"
    environment = {"PLACE": "etc:/host"}
    composition = Composition(key="live-TRY", compose=compose, bundle=b"", digest="1", environment=environment)
    with pytest.raises(PermanentError, match=r"services\.web\.volumes"):
        DockerRuntime(work_dir=tmp_path, host="tcp://never.asked:1").ensure_running(composition)
