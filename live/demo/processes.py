"""Starts and stops the site and a worker, each in a process group of its own."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

import requests
from django.conf import settings


class DemoFailed(Exception):
    """The demonstration did not come to its end; the message says where."""


def port_to_listen_on(wish: int) -> int:
    """`wish`, or some free port where it is 0; raises DemoFailed when somebody listens on `wish`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wish))
        except OSError as error:
            raise DemoFailed(f"Port {wish} is in use. Choose another one: make demo PORT={wish + 1}") from error
        return int(probe.getsockname()[1])


INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Signals that would end the block are handled after it: no process is started, or half stopped, and forgotten."""
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        held.append(number)

    handlers = {interruption: signal.signal(interruption, hold) for interruption in INTERRUPTIONS}
    try:
        yield
    finally:
        for interruption, handler in handlers.items():
            signal.signal(interruption, handler)
        for number in held:
            signal.raise_signal(number)


class Processes:
    """The site and a worker; leaving the context stops both."""

    def __init__(self, *, port: int, defaults: Mapping[str, str]) -> None:
        """`defaults` are settings that hold where the environment does not say otherwise."""
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._environment = {**defaults, **os.environ, "SITE_URL": self.url, "DEBUG": "false"}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._logs = Path(settings.VAR_DIR) / "log"

    def __enter__(self) -> Self:
        self._logs.mkdir(parents=True, exist_ok=True)
        try:
            self.start_web()
            self.start_worker()
        except BaseException:  # Ctrl-C too: Python leaves no context that it has not entered
            self._stop_all()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop_all()

    @uninterrupted()
    def _stop_all(self) -> None:
        for name in list(self._running):
            self.stop(name)

    def start_web(self) -> None:
        """The site answers at `url`."""
        gunicorn = [sys.executable, "-m", "gunicorn", "live.wsgi", "--bind", f"127.0.0.1:{self._port}"]
        self._start(
            "web", [*gunicorn, "--workers", "1", "--threads", "8", "--keep-alive", "75", "--log-level", "warning"]
        )
        self._wait_for_web()

    def start_whmcs(self, port: int) -> None:
        """A simulated WHMCS answers at `port`, and a client registers there every half minute."""
        whmcs = [sys.executable, "-m", "customers.whmcs.simulator", "--port", str(port), "--arrive-every", "30"]
        self._start("whmcs", [*whmcs, "--hooks", f"{self.url}/hooks/whmcs/"])

    def start_worker(self) -> None:
        """A worker runs."""
        self._start("worker", [sys.executable, "manage.py", "worker"])

    def kill(self, name: str) -> None:
        """The process and all its children are gone at once, as in a power cut."""
        self._end(name, signal.SIGKILL)

    def stop(self, name: str) -> None:
        """The process has ended in its own time, or was killed after ten seconds."""
        self._end(name, signal.SIGTERM)

    def check(self) -> None:
        """Raises DemoFailed when a process has died by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise DemoFailed(f"The {name} process ended by itself; see {self._logs / name}.log")

    @uninterrupted()
    def _start(self, name: str, command: list[str]) -> None:
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603  (our own commands)
                command,
                cwd=settings.BASE_DIR,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @uninterrupted()
    def _end(self, name: str, how: signal.Signals) -> None:
        process = self._running.pop(name)
        for number in (how, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(timeout=10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue

    def _wait_for_web(self) -> None:
        for _ in range(150):
            try:
                if requests.get(f"{self.url}/healthz", timeout=2).ok:
                    return
            except requests.RequestException:
                pass
            self.check()
            time.sleep(0.2)
        raise DemoFailed(f"The site did not come up; see {self._logs / 'web.log'}")


class Killer:
    """Watches the processes, and kills the worker at random moments, as often as it was told to."""

    def __init__(self, processes: Processes, times: int) -> None:
        self._processes = processes
        self._left = times
        self._next = self._soon()

    def __call__(self) -> None:
        """The worker may have been killed, and started again."""
        self._processes.check()
        if self._left and time.monotonic() >= self._next:
            self._processes.kill("worker")
            self._processes.start_worker()
            self._left -= 1
            self._next = self._soon()

    def _soon(self) -> float:
        return time.monotonic() + random.uniform(1.0, 6.0)  # noqa: S311  (not a secret)
