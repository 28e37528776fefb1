"""What a machine says of its containers and itself, as one command writes it."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infrastructure.adapters.docker import usage
from infrastructure.adapters.docker.usage import Usage, UsageFigures, figures_of, read_figures
from infrastructure.contracts.runtime import Machine

OUTPUT = """Welcome to host seven
made aaa 3 268435456 2026-11-22T19:07:24.839435759Z
made bbb 0 0 2026-11-22T19:07:24Z
made ccc 0 0 0001-01-01T00:00:00Z
used aaa 101.25% 532KiB / 64MiB
used bbb 0.00% 1.5GiB / 1.9GiB
used stranger 0.00% 1B / 2B
used ccc --
engine 2 4104798208 20.10.24+dfsg1
disk 41152832 20576416
free 1048576
"""


def test_figures_are_read_by_the_containers_id() -> None:
    started = datetime(2026, 11, 22, 19, 7, 24, tzinfo=UTC)
    shown = read_figures(OUTPUT)
    assert shown.by_id == {
        "aaa": Usage(
            restarts=3, started_at=started, cpu_percent=101.25, memory_bytes=544768, memory_limit_bytes=268435456
        ),
        "bbb": Usage(restarts=0, started_at=started, cpu_percent=0.0, memory_bytes=1610612736),
        "ccc": Usage(restarts=0),
    }
    assert shown.machine == Machine(
        version="20.10.24+dfsg1", cpus=2, ram_gb=4.1, ram_free_gb=1.1, disk_gb=42.1, disk_free_gb=21.1
    )


@pytest.mark.parametrize(
    "text", ["", "sh: docker: not found\n", "made\nused\nengine\ndisk x y\nfree\n", "engine 0 0\n"]
)
def test_what_cannot_be_read_is_not_known(text: str) -> None:
    shown = read_figures(text)
    assert shown.by_id == {}
    assert (shown.machine.cpus, shown.machine.ram_gb, shown.machine.disk_gb, shown.machine.disk_free_gb) == (None,) * 4


def test_a_full_disk_is_known_to_be_full() -> None:
    assert read_figures("disk 1000000 0\n").machine == Machine(disk_gb=1.0, disk_free_gb=0.0)


def test_a_machine_without_docker_says_what_it_can() -> None:
    shown = figures_of(ssh=None, engine="unix:///nowhere.sock")
    assert shown.machine.version == ""
    assert shown.machine.disk_gb
    assert shown == UsageFigures(machine=shown.machine)


def test_a_command_whose_engine_falls_silent_ends_by_itself_and_the_rest_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\ncase $1 in ps) echo aaa ;; stats) exec sleep 600 ;; esac\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(usage, "SCRIPT", usage.SCRIPT.replace(f"timeout {usage.COMMAND_TIMEOUT} ", "timeout 1 "))
    assert figures_of(ssh=None, engine="unix:///nowhere.sock").machine.disk_gb
    assert "sleep 600" not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
