"""What `docker compose` says, in our words; the docker command is a script that says it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.cli import ComposeCli
from infrastructure.adapters.compose.failures import blanked, failure, unfinished
from infrastructure.adapters.compose.folder import Folder, held_folder
from infrastructure.adapters.compose.job import Job, find_job
from infrastructure.contracts.runtime import PortTaken

SOCKET = "unix:///var/run/docker.sock"


class Docker:
    """Writes down how it was called; stands for Compose's program, and as `docker` first on the PATH."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def says(self, *, errors: str = "", output: str = "", code: int = 1, then: str = "") -> None:
        for name, text in (("errors", errors), ("output", output)):
            (self._folder / name).write_text(text)
        for name in ("docker", "docker-compose"):
            self._write(self._folder / name, code, then)

    def _write(self, script: Path, code: int, then: str) -> None:
        script.write_text(
            f'#!/bin/sh\necho "{script.name} $@" >> {self._folder}/calls\nenv > {self._folder}/env\n'
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
    monkeypatch.setattr("infrastructure.adapters.compose.cli.compose_binary", lambda: tmp_path / "bin/docker-compose")
    monkeypatch.setenv("DOCKER_BUILDKIT", "0")
    monkeypatch.setenv("DJANGO_SECRET", "of this site")
    return Docker(tmp_path / "bin")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    with held_folder(tmp_path / "work", "live-GL7K3M") as held:
        return held


def started(folder: Folder) -> Job:
    with held_folder(folder.path.parent, folder.path.name) as held, open("/dev/null") as slot:
        cli = ComposeCli(host=SOCKET)
        classic = not cli.has_buildkit()
        return cli.start_up("live-gl7k3m", held, build=True, classic=classic, mark="1", slot=slot.fileno())


def up(folder: Folder, *, secrets: tuple[str, ...] = ()) -> None:
    job = started(folder)
    assert job.ends_within(10)
    assert job.code is not None
    if job.code:
        raise failure(job.output, job.errors, secrets, code=job.code)


def test_a_launch_names_project_files_and_values(docker: Docker, folder: Folder) -> None:
    docker.says(code=0)
    up(folder)
    work = folder.path
    assert docker.calls == [
        "docker-compose --ansi never --progress plain -p live-gl7k3m"
        f" --project-directory {work}/product --env-file {work}/live.env"
        f" -f {work}/live.compose.json"
        " up -d --build --remove-orphans --quiet-pull"
    ]


def test_only_the_named_services_are_started_and_none_is_waited_for_that_is_not(docker: Docker, folder: Folder) -> None:
    docker.says(code=0)
    with held_folder(folder.path.parent, folder.path.name) as held, open("/dev/null") as slot:
        cli, services = ComposeCli(host=SOCKET), ("store", "web")
        job = cli.start_up("live-a", held, build=False, classic=False, mark="1", slot=slot.fileno(), services=services)
    assert job.ends_within(10)
    assert docker.calls[0].endswith(" up -d --no-build --remove-orphans --quiet-pull --no-deps store web")


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
    assert [call.split()[:2] for call in docker.calls] == [["docker", "buildx"], ["docker-compose", "--ansi"]]
    assert docker.environment["DOCKER_BUILDKIT"] == "0"


BORDER = [
    ("Cannot connect to the Docker daemon at unix:///x. Is it running?", TransientError),
    ("error during connect: Get http://x: Connection refused", TransientError),
    ('Error response from daemon: Get "https://x/v2/": dial tcp: lookup x: no such host', TransientError),
    ("toomanyrequests: You have reached your pull rate limit", TransientError),
    ("dependency failed to start: container live-x-db-1 is unhealthy", TransientError),
    # Each was seen while the image of another order, with the same first layers, was removed.
    ('unable to find image "sha256:a91331803c07"', TransientError),
    ("No such image: sha256:fc2ae11c4f8c", TransientError),
    ("failed to export image: failed to set parent sha256:fc2a: unknown parent image ID sha256:fc2a", TransientError),
    ("failed to get digest sha256:159f: open /var/lib/docker/x: no such file or directory", TransientError),
    ('Conflict. The container name "/x" is already in use by container "1"', TransientError),
    ("Bind for 0.0.0.0:80 failed: port is already allocated", PortTaken),
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


TAKEN = [
    ("… Bind for 0.0.0.0:20001 failed: port is already allocated", 20001),
    ("… Error starting userland proxy: listen tcp4 0.0.0.0:20002: bind: address already in use", 20002),
    ("failed to bind host port for 0.0.0.0:20003:172.17.0.2:80/tcp: address already in use", 20003),
    ("… Bind for [::]:20004 failed: port is already allocated", 20004),
]


@pytest.mark.parametrize(("line", "port"), TAKEN)
def test_a_port_that_is_taken_is_named(line: str, port: int) -> None:
    error = failure("", f" Container web  Starting\n{line}\n", ())
    assert isinstance(error, PortTaken)
    assert (error.port, str(error)) == (port, line)


def test_a_fixed_address_that_is_taken_is_no_port() -> None:
    assert type(failure("", "Error response from daemon: Address already in use", ())) is PermanentError


def test_a_failed_build_says_what_the_command_said(docker: Docker, folder: Folder) -> None:
    failed = "The command '/bin/sh -c make' returned a non-zero code: 2"
    steps = "Step 1/2\n ---> Running in 0123456789ab\nfine\nStep 2/2\n ---> Running in 91beac857ec1\n"
    docker.says(output=f"{steps}cc x.c\nmake: no rule\n", errors=f" web  Building\n{failed}\n")
    with pytest.raises(PermanentError) as caught:
        up(folder)
    assert str(caught.value) == f"{failed}; last output: cc x.c / make: no rule"


def test_what_a_broken_off_build_was_at_is_known_by_its_container() -> None:
    at_work = "Step 1/2\n ---> Running in 0123456789ab\n"
    assert unfinished(at_work) == "0123456789ab"
    assert unfinished(f"{at_work}Removing intermediate container 0123456789ab\n ---> 91beac857ec1\n") == ""
    assert unfinished("Container web  Creating\n") == ""


def test_buildkits_failure_says_what_the_command_said(docker: Docker, folder: Folder) -> None:
    failed = 'failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2'
    docker.says(errors=f"#5 [web 2/2] RUN make\n#5 0.21 cc x.c\n#5 0.35 make: no rule\n{failed}\n")
    with pytest.raises(PermanentError) as caught:
        up(folder)
    assert str(caught.value) == f"{failed}; last output: cc x.c / make: no rule"


def test_a_silent_failure_is_said_so(docker: Docker, folder: Folder) -> None:
    docker.says()
    with pytest.raises(PermanentError, match="without an error message"):
        up(folder)


def test_secrets_never_appear_in_messages(docker: Docker, folder: Folder) -> None:
    docker.says(errors="bad: correct horse, battery$$staple and BEGIN KEY\n")
    with pytest.raises(PermanentError) as caught:
        up(folder, secrets=("correct horse", "battery$staple", "BEGIN KEY\nsecond line", "a"))
    assert str(caught.value) == "bad: ***, *** and ***"


def test_a_secret_inside_a_longer_one_leaves_no_rest() -> None:
    assert blanked("horse power", ("horse", "horse power")) == "***"


def test_a_job_that_is_stopped_ends_with_its_children(docker: Docker, folder: Folder, tmp_path: Path) -> None:
    docker.says(then=f"(sleep 2; touch {tmp_path}/outlived) & wait")
    job = started(folder)
    assert not job.ends_within(0.3)
    job.stop()
    assert not job.is_running
    assert job.code is None
    time.sleep(2)
    assert not (tmp_path / "outlived").exists()


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(
    docker: Docker, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker.says()
    job = started(folder)
    assert job.ends_within(10)
    monkeypatch.setattr("infrastructure.adapters.compose.job.KILL_SECONDS", 0.2)
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as somebody:
        (folder.path / "pid").write_text(f"{somebody.pid}\n")
        with (
            held_folder(folder.path.parent, folder.path.name),
            pytest.raises(TransientError, match="still shutting down"),
        ):
            job.stop()  # a visit holds the folder, not the job
        assert somebody.poll() is None
        somebody.kill()


def test_a_short_call_that_does_not_end_is_ended(docker: Docker) -> None:
    docker.says(then="exec sleep 5")
    with pytest.raises(TransientError, match=r"did not finish within 0.3 s"):
        ComposeCli(host=SOCKET, timeout=0.3).version()


def test_without_a_shell_nothing_is_begun(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="docker command cannot be run"):
        up(folder)
    assert find_job(folder.path.parent, folder.path.name) is None


def test_a_shell_without_docker_is_a_matter_of_settings() -> None:
    with pytest.raises(ConfigError, match="docker command cannot be run"):
        raise failure("", "sh: 5: docker: not found\n", (), code=127)


def test_a_stop_needs_no_files(docker: Docker, folder: Folder) -> None:
    docker.says(code=0)
    with held_folder(folder.path.parent, folder.path.name) as held:
        job = ComposeCli(host=SOCKET).start_stop("live-gl7k3m", held, mark="stop")
    assert job.ends_within(5)
    assert docker.calls == ["docker-compose --ansi never -p live-gl7k3m stop"]
    assert json.dumps(docker.environment["PWD"]) == '"/"'
