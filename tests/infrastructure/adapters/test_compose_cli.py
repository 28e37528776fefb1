"""What `docker compose` says, in our words; the docker command is a script that says it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from infrastructure.adapters.compose_cli import BuildFailed, ComposeCli, blanked
from infrastructure.adapters.compose_folder import Folder, held_folder
from live.lib.errors import ConfigError, OutsideError, PermanentError, TransientError

SOCKET = "unix:///var/run/docker.sock"


class Docker:
    """A `docker` first on the PATH that writes down how it was called."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, *, errors: str = "", output: str = "", code: int = 1, then: str = "") -> None:
        for name, text in (("errors", errors), ("output", output)):
            (self._folder / name).write_text(text)
        script = self._folder / "docker"
        script.write_text(
            f'#!/bin/sh\necho "$@" >> {self._folder}/calls\nenv > {self._folder}/env\n'
            f"cat {self._folder}/output\ncat {self._folder}/errors >&2\n{then}\nexit {code}\n"
        )
        script.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return (self._folder / "calls").read_text().splitlines()

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self._folder / "env").read_text().splitlines() if "=" in line)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    monkeypatch.setenv("DJANGO_SECRET", "of this site")
    return Docker(tmp_path / "bin")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    with held_folder(tmp_path / "work", "live-GL7K3M") as held:
        return held


def up(folder: Folder, *, timeout: float = 10, secrets: tuple[str, ...] = ()) -> None:
    lockless = Folder(path=folder.path, lock=os.open("/", os.O_RDONLY))
    try:
        ComposeCli(host=SOCKET, timeout=timeout).up("live-gl7k3m", lockless, build=True, secrets=secrets)
    finally:
        os.close(lockless.lock)


def test_a_launch_names_project_files_and_values(docker: Docker, folder: Folder) -> None:
    docker.says(code=0)
    up(folder)
    work = folder.path
    assert docker.calls == [
        "compose --ansi never --progress plain -p live-gl7k3m"
        f" --project-directory {work}/product --env-file {work}/live.env"
        f" -f {work}/product/compose.yaml -f {work}/live.override.yaml"
        " up -d --build --remove-orphans --quiet-pull"
    ]


def test_the_sites_own_environment_is_not_passed_on(docker: Docker, folder: Folder) -> None:
    docker.says(code=0)
    up(folder)
    assert docker.environment["DOCKER_HOST"] == SOCKET
    assert docker.environment["DOCKER_BUILDKIT"] == "0"
    assert "DJANGO_SECRET" not in docker.environment


def test_without_buildkits_program_the_classic_builder_is_used(
    docker: Docker, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_BUILDKIT")
    docker.says(code=0, then='[ "$1" = buildx ] && exit 1')
    up(folder)
    assert [call.split()[0] for call in docker.calls] == ["buildx", "compose"]
    assert docker.environment["DOCKER_BUILDKIT"] == "0"


BORDER = [
    ("Cannot connect to the Docker daemon at unix:///x. Is it running?", TransientError),
    ("error during connect: Get http://x: Connection refused", TransientError),
    ('Error response from daemon: Get "https://x/v2/": dial tcp: lookup x: no such host', TransientError),
    ("toomanyrequests: You have reached your pull rate limit", TransientError),
    ("dependency failed to start: container live-x-db-1 is unhealthy", TransientError),
    ('Conflict. The container name "/x" is already in use by container "1"', TransientError),
    ("Bind for 0.0.0.0:80 failed: port is already allocated", PermanentError),
    ("validating compose.yaml: services.web additional properties 'portz' not allowed", PermanentError),
    ("write /var/lib/docker/x: no space left on device", PermanentError),
    ("manifest for nosuch:1 not found: manifest unknown", PermanentError),
    ("permission denied while trying to connect to the Docker daemon socket", ConfigError),
    ("error during connect: stderr=Host key verification failed.", ConfigError),
    ("docker: 'compose' is not a docker command.", ConfigError),
]


@pytest.mark.parametrize(("line", "ours"), BORDER, ids=[line[:24] for line, _ in BORDER])
def test_the_last_line_decides_whose_turn_it_is(
    docker: Docker, folder: Folder, line: str, ours: type[OutsideError]
) -> None:
    docker.says(errors=f" Container web  Creating\n\x1b[31m{line}\x1b[0m\n\n")
    with pytest.raises(OutsideError) as caught:
        up(folder)
    assert (type(caught.value), str(caught.value)) == (ours, line)


def test_a_failed_build_says_what_the_command_said(docker: Docker, folder: Folder) -> None:
    failed = "The command '/bin/sh -c make' returned a non-zero code: 2"
    steps = "Step 1/2\n ---> Running in 0123456789ab\nStep 2/2\n ---> Running in 91beac857ec1\n"
    docker.says(output=f"{steps}make: no rule\n", errors=f" web  Building\n{failed}\n")
    with pytest.raises(BuildFailed) as caught:
        up(folder)
    assert str(caught.value) == f"{failed}; it said: make: no rule"
    assert caught.value.container == "91beac857ec1"


def test_a_silent_failure_is_said_so(docker: Docker, folder: Folder) -> None:
    docker.says()
    with pytest.raises(PermanentError, match="without a word"):
        up(folder)


def test_secrets_never_appear_in_messages(docker: Docker, folder: Folder) -> None:
    docker.says(errors="bad: correct horse, battery$$staple and BEGIN KEY\n")
    with pytest.raises(PermanentError) as caught:
        up(folder, secrets=("correct horse", "battery$staple", "BEGIN KEY\nsecond line", "a"))
    assert str(caught.value) == "bad: ***, *** and ***"


def test_a_secret_inside_a_longer_one_leaves_no_rest() -> None:
    assert blanked("horse power", ("horse", "horse power")) == "***"


def test_a_call_that_does_not_end_is_ended_with_its_children(docker: Docker, folder: Folder, tmp_path: Path) -> None:
    docker.says(then=f"(sleep 4; touch {tmp_path}/outlived) & wait")
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"did not finish within 0.3 s"):
        up(folder, timeout=0.3)
    assert time.monotonic() - started < 3.5
    time.sleep(4)
    assert not (tmp_path / "outlived").exists()


def test_a_missing_docker_command_is_a_matter_of_settings(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    with pytest.raises(ConfigError, match="docker command cannot be run"):
        up(folder)


def test_a_stop_needs_no_files(docker: Docker) -> None:
    docker.says(code=0)
    ComposeCli(host=SOCKET, timeout=5).stop("live-gl7k3m")
    assert docker.calls == ["compose --ansi never -p live-gl7k3m stop"]
    assert json.dumps(docker.environment["PWD"]) == '"/"'
