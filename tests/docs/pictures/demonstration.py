"""A demonstration with a simulated WHMCS, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from live.demo.processes import port_to_listen_on

ROOT = Path(__file__).parents[3]
LONGEST = 400.0  # seconds until everything of the demonstration is there
CLIENTS = 40.0  # seconds more, for clients that register at WHMCS meanwhile


def environment_in(folder: Path) -> dict[str, str]:
    """The settings with which the demonstration and this process see the same database and files."""
    return {
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'live.sqlite3'}",
        "EMAIL_URL": f"filemail:///{folder / 'mail'}",
    }


@contextmanager
def demonstration(folder: Path, environment: Mapping[str, str]) -> Iterator[str]:
    """The address of the site; it has everything when this begins, and is gone afterwards."""
    port = port_to_listen_on(0)
    log = folder / "demo.log"
    command = [sys.executable, "manage.py", "demo", "--port", str(port), "--whmcs"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        end = time.monotonic() + LONGEST
        while "Stop with Ctrl-C" not in log.read_text():
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"The demonstration did not start:\n{log.read_text()[-3000:]}")
            time.sleep(1)
        time.sleep(CLIENTS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
