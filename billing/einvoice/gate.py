"""Asks the validator, one process of it for each worker process, and restarts it when it has gone."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from pathlib import Path

from core.errors import TransientError

SECONDS = 60  # the first question starts the process and compiles the rules: 2 s; the next take 20 ms
ROOT = Path(__file__).resolve().parents[2]


class ValidatorProcess:
    """A validator, started when it is first asked. A fork starts its own: two processes cannot share one pipe."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "billing.einvoice.validator")) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def findings(self, xml: bytes) -> tuple[str, ...]:
        """What the rules find wrong with an invoice; raises TransientError when they cannot be asked."""
        with self._lock:
            process = self._running()
            try:
                answer = self._ask(process, json.dumps(xml.decode()).encode() + b"\n")
                return tuple(json.loads(answer))
            except (OSError, ValueError) as error:
                self.stop()
                raise TransientError("The check of electronic invoices did not answer; it is started again.") from error

    def _running(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():
            self._process, self._owner = None, os.getpid()
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                self._command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            atexit.register(self.stop)
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], question: bytes) -> bytes:
        assert process.stdin is not None  # noqa: S101  # both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(question)
        process.stdin.flush()
        descriptor, answer, until = process.stdout.fileno(), b"", time.monotonic() + SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0, until - time.monotonic())):
                    raise TimeoutError("no answer in time")
                piece = os.read(descriptor, 65536)
                if not piece:
                    raise BrokenPipeError("the validator has ended")
                answer += piece
        return answer

    def stop(self) -> None:
        """The process is gone; the next question starts another. A fork leaves its parent's alone."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


validator = ValidatorProcess()
