"""The folder of a launch: private, fresh, held by one run, gone afterwards."""

from __future__ import annotations

import fcntl
import io
import os
import stat
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import ConfigError, PermanentError, TransientError
from infrastructure.adapters.compose.folder import (
    ABANDONED_AFTER,
    clear_abandoned,
    held_folder,
    write_launched,
    write_release,
)
from infrastructure.adapters.compose.job import find_job, start_job
from infrastructure.contracts.runtime import Composition

COMPOSE = "services: {web: {build: .}}"
KEY = "live-GL7K3M"


def archive(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for entry, text in entries:
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text))
    return packed.getvalue()


def link(name: str, target: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    return entry


def composition(bundle: bytes = b"") -> Composition:
    return Composition(key=KEY, compose=COMPOSE, bundle=bundle, digest="1", environment={"PASSWORD": "correct horse"})


def write(work_dir: Path, bundle: bytes) -> None:
    with held_folder(work_dir, KEY) as folder:
        write_release(folder, composition(bundle))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_private_and_outside_of_what_a_build_may_copy(tmp_path: Path) -> None:
    with held_folder(tmp_path / "work", KEY) as folder:
        write_release(folder, composition(archive((tarfile.TarInfo("Dockerfile"), b"FROM x"))))
        write_launched(folder, "{}")
        assert mode(folder.path) == 0o700
        assert mode(folder.env_file) == mode(folder.launched) == 0o600
        assert sorted(path.name for path in folder.product.iterdir()) == ["Dockerfile", "compose.yaml"]
        assert "correct horse" not in (folder.product / "compose.yaml").read_text()
        assert "correct horse" in folder.env_file.read_text()


def test_nothing_is_left_afterwards_whatever_happens(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="cannot be unpacked"):
        write(tmp_path, b"no archive")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_is_not_found_again(tmp_path: Path) -> None:
    (tmp_path / KEY / "product").mkdir(parents=True)
    (tmp_path / KEY / "live.env").write_text("old")
    (tmp_path / KEY / "elsewhere").symlink_to(tmp_path)
    with held_folder(tmp_path, KEY) as folder:
        assert list(folder.path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_of_the_same_key_waits_its_turn(tmp_path: Path) -> None:
    with (
        held_folder(tmp_path, KEY),
        pytest.raises(TransientError, match="another run is still working on live-GL7K3M"),
        held_folder(tmp_path, KEY),
    ):
        pass
    with held_folder(tmp_path, KEY):
        pass


def test_runs_of_other_keys_do_not_wait(tmp_path: Path) -> None:
    with held_folder(tmp_path, KEY), held_folder(tmp_path, "live-OTHER1") as other:
        assert other.path.exists()


KILLED_RUN = """
import os, signal, subprocess, sys
from pathlib import Path
from infrastructure.adapters.compose.folder import held_folder
with held_folder(Path(sys.argv[1]), sys.argv[2]) as folder:
    subprocess.Popen(["sh", "-c", "echo launched; read line"], pass_fds=(folder.lock,))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_launch_that_outlives_its_killed_worker_is_waited_for(tmp_path: Path) -> None:
    worker = [sys.executable, "-c", KILLED_RUN, str(tmp_path), KEY]
    with subprocess.Popen(worker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdin is not None
        assert run.stdout is not None
        assert run.stdout.readline() == b"launched\n"
        run.wait()
        with pytest.raises(TransientError, match="still working on"), held_folder(tmp_path, KEY):
            pass
        run.stdin.close()
        run.stdout.read()
    with held_folder(tmp_path, KEY):
        pass


def test_a_folder_to_which_nobody_came_back_goes_and_others_stay(tmp_path: Path) -> None:
    long_ago = time.time() - ABANDONED_AFTER - 1
    for key in ("live-FORGOT", "live-BUSY22"):
        (tmp_path / key).mkdir()
        (tmp_path / key / "job").touch()
        (tmp_path / key / "live.env").write_text("PASSWORD=correct horse")
        os.utime(tmp_path / key, (long_ago, long_ago))
    (tmp_path / "live-FRESH2").mkdir()
    busy = os.open(tmp_path / "live-BUSY22", os.O_RDONLY)
    try:
        fcntl.flock(busy, fcntl.LOCK_EX)
        clear_abandoned(tmp_path)
    finally:
        os.close(busy)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["live-BUSY22", "live-FRESH2"]
    clear_abandoned(tmp_path / "nowhere")


def test_a_command_that_is_broken_off_leaves_no_secrets(tmp_path: Path) -> None:
    with held_folder(tmp_path, KEY) as folder:
        write_release(folder, composition())
        start_job(folder, ["sleep", "60"], mark="m", environment={"PATH": os.defpath}, held=[])
    job = find_job(tmp_path, KEY)
    assert job is not None
    wait_for(tmp_path / KEY / "pid")
    assert job.is_running
    job.stop()
    assert not job.is_running
    assert sorted(path.name for path in job.path.iterdir()) == ["errors", "job", "output", "pid"]


def test_a_command_of_another_container_is_not_ended_by_its_number(tmp_path: Path) -> None:
    with held_folder(tmp_path, KEY) as folder:
        job = start_job(folder, ["sleep", "60"], mark="m", environment={"PATH": os.defpath}, held=[])
    wait_for(job.path / "pid")
    elsewhere = replace(job, machine="another pid:[1]")
    with pytest.raises(TransientError, match="another worker is still working on it"):
        elsewhere.stop()
    assert job.is_running
    job.stop()


def test_a_disk_without_room_for_the_commands_mark_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str) -> int:
        path.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match="No space left on device"), held_folder(tmp_path, KEY) as folder:
        start_job(folder, ["true"], mark="m", environment={}, held=[])
    assert list(tmp_path.iterdir()) == []


def wait_for(path: Path) -> None:
    end = time.monotonic() + 10
    while not path.exists() or not path.read_text():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize(
    "bundle",
    [
        archive((tarfile.TarInfo("../outside"), b"x")),
        archive((tarfile.TarInfo("/outside"), b"x")),
        archive((link("door", "/etc"), b"")),
        archive((link("door", "Dockerfile"), b"")),
        archive((tarfile.TarInfo("Dockerfile"), b"x" * 5000))[:-60],
    ],
    ids=["climbs out", "starts at the root", "points out", "points inside", "cut short"],
)
def test_an_archive_that_is_not_well_meant_is_permanent(tmp_path: Path, bundle: bytes) -> None:
    with pytest.raises(PermanentError, match="cannot be unpacked"):
        write(tmp_path / "work", bundle)
    assert not (tmp_path / "outside").exists()


def test_what_a_build_copies_can_be_read_by_any_user_whatever_the_umask(tmp_path: Path) -> None:
    start = tarfile.TarInfo("web/bin/start")
    start.mode = 0o700
    strict = os.umask(0o077)
    try:
        with held_folder(tmp_path, KEY) as folder:
            bundle = archive((start, b"#!/bin/sh"), (tarfile.TarInfo("web/Dockerfile"), b"FROM x"))
            write_release(folder, composition(bundle))
            modes = {path.name: mode(path) for path in (folder.product / "web").rglob("*")}
            assert modes == {"bin": 0o755, "start": 0o755, "Dockerfile": 0o644}
            assert mode(folder.product / "web") == 0o755
    finally:
        os.umask(strict)


def test_an_archive_too_large_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("infrastructure.adapters.compose.folder.MAX_UNPACKED", 1024**2)
    with pytest.raises(PermanentError, match="larger than 1 MB"):
        write(tmp_path, archive((tarfile.TarInfo("zeros"), b"0" * (1024**2 + 1))))


def test_the_releases_compose_file_does_not_depend_on_its_archive(tmp_path: Path) -> None:
    with held_folder(tmp_path, KEY) as folder:
        bundle = archive((tarfile.TarInfo("compose.yaml"), b"services: {}"))
        write_release(folder, composition(bundle))
        assert (folder.product / "compose.yaml").read_text() == COMPOSE


def test_a_place_that_cannot_be_written_is_a_matter_of_settings(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be created: Not a directory"), held_folder(tmp_path / "file", KEY):
        pass
