"""On real engines, here and over SSH: files of a release while it runs, and jobs that run once."""

from __future__ import annotations

import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import PermanentError, TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.ssh.hosts import SshTarget, ask
from infrastructure.contracts.runtime import Composition, ServiceState
from tests.infrastructure.contracts.test_runtime_contract import bundle
from tests.lab.hosts import lab_hosts

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

CASES = Path(__file__).parents[1] / "cases"
IMAGE = "image: 'debian:bookworm-slim', init: true, stop_grace_period: 1s"
READS = f"""
services:
  web:
    {IMAGE.replace(", ", chr(10) + "    ")}
    command: [sh, -c, "cat /etc/site.conf /etc/maps/a.map /run/secrets/key; exec sleep 600"]
    restart: unless-stopped
    configs: [{{source: site, target: /etc/site.conf}}]
    secrets: [key]
    volumes: ["./maps:/etc/maps:ro"]
configs: {{site: {{file: ./site.conf}}}}
secrets: {{key: {{file: ./key.txt}}}}
"""
Docker = Callable[..., str]


@pytest.fixture(params=["here", "over SSH"])
def host(request: pytest.FixtureRequest) -> SshTarget | None:
    return lab_hosts()[0] if request.param == "over SSH" else None


@pytest.fixture
def docker(host: SshTarget | None) -> Docker:
    """Docker's own command on the engine's machine; what it writes."""

    def run(*arguments: str) -> str:
        command = ["docker", *arguments]
        if host:
            return ask(host, f"{shlex.join(command)} 2>&1", timeout=60)
        return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout

    return run


@pytest.fixture
def runtime(host: SshTarget | None, tmp_path: Path) -> DockerRuntime:
    return DockerRuntime(work_dir=tmp_path / "work", timeout=120, ssh=host)


@pytest.fixture
def key(runtime: DockerRuntime, docker: Docker) -> Iterator[str]:
    name = f"live-T{uuid.uuid4().hex[:8].upper()}"
    yield name
    runtime.remove(key=name)
    assert list(runtime.left_behind(key=name)) == []
    assert name.lower() not in docker("volume", "ls", "--quiet")
    assert docker("image", "ls", "--quiet", "--filter", f"label=live.key={name}") == ""


def repeat(ensure: Callable[[], object], seconds: float = 60) -> None:
    """Asked again until it is so."""
    end = time.monotonic() + seconds
    while True:
        try:
            ensure()
        except TransientError:
            assert time.monotonic() < end
            time.sleep(0.5)
        else:
            return


def reads(key: str, release: str) -> Composition:
    files = {"site.conf": f"site {release}\n", "maps/a.map": f"map {release}\n", "key.txt": f"key {release}\n"}
    return Composition(key=key, compose=READS, bundle=bundle(**files), digest=release)


def written(release: str) -> str:
    return f"site {release}\nmap {release}\nkey {release}\n"


def test_files_are_there_after_a_crash_a_restart_a_stop_and_with_the_next_release(
    runtime: DockerRuntime, docker: Docker, key: str
) -> None:
    web = f"{key.lower()}-web-1"
    repeat(lambda: runtime.ensure_running(reads(key, "one")))
    docker("exec", web, "sh", "-c", "kill -9 $(pidof sleep)")
    docker("restart", "--time", "1", web)
    docker("stop", "--time", "1", web)
    repeat(lambda: runtime.ensure_running(reads(key, "one")))
    repeat(lambda: runtime.ensure_stopped(key=key))
    repeat(lambda: runtime.ensure_running(reads(key, "one")))
    assert set(docker("logs", web).splitlines()) == set(written("one").splitlines())
    assert docker("inspect", "--format", "{{.State.Status}}", web).strip() == "running"
    [before] = [line for line in docker("volume", "ls", "--quiet").split() if line.startswith(key.lower())]
    repeat(lambda: runtime.ensure_running(reads(key, "two")))
    assert docker("logs", web) == written("two")
    [after] = [line for line in docker("volume", "ls", "--quiet").split() if line.startswith(key.lower())]
    assert after != before


def test_a_container_can_read_its_files_and_not_write_them(runtime: DockerRuntime, docker: Docker, key: str) -> None:
    repeat(lambda: runtime.ensure_running(reads(key, "one")))
    for path in ("/etc/site.conf", "/etc/maps/a.map", "/etc/maps/new", "/run/secrets/key"):
        attempt = f"echo changed > {path} || echo refused"
        assert "refused" in docker("exec", f"{key.lower()}-web-1", "sh", "-c", attempt)
    assert docker("exec", "--user", "nobody", f"{key.lower()}-web-1", "cat", "/run/secrets/key") == "key one\n"


def test_half_carried_files_are_carried_anew(
    runtime: DockerRuntime, docker: Docker, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("docker.APIClient.put_archive", killed)
        with pytest.raises(KeyboardInterrupt):
            runtime.ensure_running(reads(key, "one"))
    repeat(lambda: runtime.ensure_running(reads(key, "one")))
    assert docker("logs", f"{key.lower()}-web-1") == written("one")


def test_a_config_from_a_file_of_the_product(runtime: DockerRuntime, docker: Docker, key: str) -> None:
    case = CASES / "a-config-from-a-file-of-the-product"
    files = bundle(**{"site.conf": (case / "files/site.conf").read_text()})
    wanted = Composition(key=key, compose=(case / "compose.yaml").read_text(), bundle=files, digest="1")
    repeat(lambda: runtime.ensure_running(wanted))
    docker("restart", "--time", "1", f"{key.lower()}-web-1")
    time.sleep(1)
    assert docker("inspect", "--format", "{{.State.Status}}", f"{key.lower()}-web-1").strip() == "running"


def test_a_job_nobody_waits_for_runs_once_for_each_release(runtime: DockerRuntime, docker: Docker, key: str) -> None:
    compose = (CASES / "a-job-nobody-waits-for" / "compose.yaml").read_text()
    wanted = Composition(key=key, compose=compose, bundle=b"", digest="1")

    def runs() -> int:
        return docker("exec", f"{key.lower()}-web-1", "cat", "/data/runs").count("run")

    for _ in range(3):
        repeat(lambda: runtime.ensure_running(wanted))
        time.sleep(1)
    assert runs() == 1
    states = {service.name: service.state for service in runtime.observe(keys=[key])[key]}
    assert states == {"web": ServiceState.RUNNING, "load": ServiceState.DONE}
    repeat(lambda: runtime.ensure_stopped(key=key))
    repeat(lambda: runtime.ensure_running(wanted))
    assert runs() == 1
    repeat(lambda: runtime.ensure_running(replace(wanted, digest="2")))
    time.sleep(1)
    assert runs() == 2


WORKS = f"""
services:
  web: {{{IMAGE}, restart: unless-stopped, command: sleep infinity, volumes: ["data:/data"]}}
  worker:
    {IMAGE.replace(", ", chr(10) + "    ")}
    restart: on-failure
    command: [sh, -c, 'echo begun >> /data/begun; trap "exit 0" TERM; while :; do sleep 0.1; done']
    volumes: ["data:/data"]
volumes: {{data: {{}}}}
"""


def test_what_was_at_work_when_it_was_stopped_is_started_again(
    runtime: DockerRuntime, docker: Docker, key: str
) -> None:
    wanted = Composition(key=key, compose=WORKS, bundle=b"", digest="1")
    repeat(lambda: runtime.ensure_running(wanted))
    repeat(lambda: runtime.ensure_stopped(key=key))
    repeat(lambda: runtime.ensure_running(wanted))
    time.sleep(1)
    assert docker("exec", f"{key.lower()}-web-1", "cat", "/data/begun") == "begun\nbegun\n"
    assert "live-interrupted" not in docker("volume", "ls", "--quiet", "--filter", f"name={key.lower()}")


def test_a_job_that_fails_says_so_and_runs_again_only_when_asked(
    runtime: DockerRuntime, docker: Docker, key: str
) -> None:
    work = "echo begun >> /data/begun; sleep 1; echo no map of Merholm; exit 3"
    job = f"load: {{{IMAGE}, restart: 'no', command: [sh, -c, '{work}'], volumes: ['data:/data']}}"
    held = "healthcheck: {test: [CMD, test, -e, /well], interval: 1s, retries: 60}"
    web = f"web: {{{IMAGE}, restart: always, command: sleep infinity, volumes: ['data:/data'], {held}}}"
    compose = f"services:\n  {web}\n  {job}\nvolumes: {{data: {{}}}}\n"
    wanted = Composition(key=key, compose=compose, bundle=b"", digest="1")
    for tries in (1, 2):
        with pytest.raises(
            PermanentError, match="job load ended with exit code 3; last output of load: no map of Merholm"
        ):
            repeat(lambda: runtime.ensure_running(wanted))
        with pytest.raises(PermanentError, match="exit code 3"):
            runtime.ensure_running(wanted)
        assert docker("exec", f"{key.lower()}-web-1", "cat", "/data/begun").count("begun") == tries
        with pytest.raises(TransientError):
            runtime.ensure_running(replace(wanted, is_new_try=True))
