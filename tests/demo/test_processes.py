"""The processes of the demonstration run as in production, whatever the developer's environment says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from types import FrameType
from typing import Any

import pytest

from live.demo import processes
from live.demo.processes import Processes


def test_demonstration_runs_without_debug_pages(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> None:
    started: dict[str, dict[str, str]] = {}

    class Started:
        """A process that only notes its environment."""

        def __init__(self, command: list[str], env: dict[str, str], **options: object) -> None:
            started[command[-1]] = env

    monkeypatch.setattr(processes.subprocess, "Popen", Started)
    monkeypatch.setenv("DEBUG", "true")
    monkeypatch.setenv("SITE_URL", "https://elsewhere.example")
    settings.VAR_DIR = tmp_path
    (tmp_path / "log").mkdir()
    Processes(port=9, defaults={"DEBUG": "true", "SECRET_KEY": "x"}).start_worker()
    environment = started["worker"]
    assert (environment["DEBUG"], environment["SITE_URL"]) == ("false", "http://127.0.0.1:9")
    assert environment["SECRET_KEY"]


def test_connections_outlive_the_pauses_of_a_proxy_that_uses_them_again(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    """Gunicorn closes after 2 seconds by itself; the proxy's next request then meets a closed connection."""
    commands: list[list[str]] = []
    monkeypatch.setattr(processes.subprocess, "Popen", lambda command, **options: commands.append(command))
    monkeypatch.setattr(Processes, "_wait_for_web", lambda self: None)
    settings.VAR_DIR = tmp_path
    (tmp_path / "log").mkdir()
    Processes(port=9, defaults={"SECRET_KEY": "x"}).start_web()
    dockerfile = (settings.BASE_DIR / "Dockerfile").read_text()
    image = next(json.loads(line.removeprefix("CMD ")) for line in dockerfile.splitlines() if line.startswith("CMD "))
    for command in (commands[0], image):
        assert int(command[command.index("--keep-alive") + 1]) > 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_process_that_was_just_started_when_the_demonstration_is_interrupted_is_stopped(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any, number: signal.Signals
) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def start(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(["sleep", "60"], **options))
        signal.raise_signal(number)  # before anybody could note the process
        return started[-1]

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    monkeypatch.setattr(processes.subprocess, "Popen", start)
    settings.VAR_DIR = tmp_path
    try:
        with pytest.raises(KeyboardInterrupt), Processes(port=9, defaults={"SECRET_KEY": "x"}):
            pytest.fail("it was interrupted before")
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
    assert [process.poll() for process in started] == [-signal.SIGTERM]


def test_process_is_stopped_though_a_second_interruption_comes_meanwhile(
    monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any
) -> None:
    settings.VAR_DIR = tmp_path
    (tmp_path / "log").mkdir()
    running = Processes(port=9, defaults={"SECRET_KEY": "x"})
    running._start("one", ["sleep", "60"])
    running._start("two", ["sleep", "60"])
    started = list(running._running.values())
    kill = os.killpg

    def kill_and_interrupt(group: int, number: int) -> None:
        signal.raise_signal(signal.SIGINT)
        kill(group, number)

    monkeypatch.setattr(os, "killpg", kill_and_interrupt)
    with pytest.raises(KeyboardInterrupt):
        running._stop_all()
    assert [process.poll() for process in started] == [-signal.SIGTERM] * 2
