"""A copy of this process that does one thing: all that was loaded is there, so it is at work at once."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn


class ForkedProcess:
    """A child of this process, which must have no thread and no connection that the child could share."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.returncode: int | None = None
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _work_and_exit(work)

    def poll(self) -> int | None:
        """Its exit code, or the number of the signal that ended it with a minus; None while it lives."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float) -> int | None:
        """The same, once it has ended or after so many seconds."""
        until = time.monotonic() + timeout
        while self.poll() is None and time.monotonic() < until:
            time.sleep(0.02)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        """It has got the signal, unless it has ended already."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


def _work_and_exit(work: Callable[[], None]) -> NoReturn:
    """Whatever becomes of the work, what the parent had in hand is never gone on with."""
    code = 1
    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)  # the parent's handlers speak to the parent
        work()
        code = 0
    except SystemExit as request:
        code = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:  # noqa: BLE001  (nothing may get back into what the parent was doing)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
