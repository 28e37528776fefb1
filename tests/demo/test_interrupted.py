"""The demonstration stopped on its way: whatever it started has stopped too."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from live.management.commands.demo import Command
from tests.migrated_database import begin_migrated

ROOT = Path(__file__).parents[2]
LONGEST = 120.0


def start_demo(folder: Path) -> subprocess.Popen[bytes]:
    """The demonstration on a database of its own."""
    begin_migrated(folder / "live.sqlite3")
    environment = {
        **{name: value for name, value in os.environ.items() if name not in ("SITE_URL", "EMAIL_URL")},
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "DEBUG": "true",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'live.sqlite3'}",
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
    }
    command = [sys.executable, "manage.py", "demo", "--port", "0"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def started_in(folder: Path) -> list[str]:
    """The commands of the living processes whose environment names `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"VAR_DIR={folder}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text())
        except OSError:  # it has ended meanwhile, or belongs to somebody else
            continue
    return [message for message in found if message]


def wait_until_started(folder: Path, program: str, count: int) -> None:
    """So many processes of the program are there."""
    end = time.monotonic() + LONGEST
    while sum(program in command for command in started_in(folder)) < count:
        assert time.monotonic() < end, f"no {program}"
        time.sleep(0.05)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found through /proc")
@pytest.mark.parametrize(("how", "program", "count"), [(signal.SIGINT, "gunicorn", 1), (signal.SIGTERM, "worker", 3)])
def test_demo_that_is_stopped_leaves_no_process(tmp_path: Path, how: signal.Signals, program: str, count: int) -> None:
    with start_demo(tmp_path) as demo:
        try:
            wait_until_started(tmp_path, program, count)
            demo.send_signal(how)
            _texts, errors = demo.communicate(timeout=LONGEST)
        except (AssertionError, subprocess.TimeoutExpired):
            demo.kill()  # or leaving this block would wait for it for ever
            raise
    assert demo.returncode == 130
    assert b"Traceback" not in errors
    assert started_in(tmp_path) == []


@pytest.mark.enable_socket
def test_a_port_in_use_is_refused_in_one_line_that_names_the_next(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {
            **os.environ,
            "DEBUG": "true",
            "VAR_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "live.settings",
        }
        command = [sys.executable, "manage.py", "demo", "--port", str(port)]
        run = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert run.returncode == 2
    line = f"CommandError: Port {port} is in use. Choose another one: make demo PORT={port + 1}"
    assert run.stderr.strip().splitlines() == [line]
    assert not (tmp_path / "live.sqlite3").exists()


def test_interrupt_that_python_has_ignored_is_raised_at_the_next_look() -> None:
    demo = Command()
    demo._stop_if_asked()
    with pytest.raises(KeyboardInterrupt):
        demo._interrupt(signal.SIGINT, None)
    with pytest.raises(KeyboardInterrupt):
        demo._stop_if_asked()
