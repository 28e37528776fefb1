"""The site as it is served in production, on a port of the loopback and the database of the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import requests
from django.conf import settings
from django.db import connection

from tests.chaos.database import free_port

PATIENCE = 90  # seconds for the processes to begin serving


def command() -> list[str]:
    """What the image runs, without its address: the Dockerfile is read, so that the bench follows it."""
    line = re.search(r'^CMD \["gunicorn", (.*)\]$', (settings.BASE_DIR / "Dockerfile").read_text(), re.M)
    assert line is not None
    arguments = re.findall(r'"([^"]*)"', line[1])
    place = arguments.index("--bind")
    return [str(Path(sys.executable).with_name("gunicorn")), *arguments[:place], *arguments[place + 2 :]]


def environment(port: int) -> dict[str, str]:
    """Settings as in production, of a site without TLS whose files are where the test collects them."""
    row = connection.settings_dict
    address = f"{quote(row['USER'])}:{quote(row['PASSWORD'])}@{row['HOST']}:{row['PORT'] or 5432}"
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "live.settings",
        "DATABASE_URL": f"postgres://{address}/{quote(row['NAME'])}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "DEBUG": "false",
    }


def collect(port: int = 0) -> None:
    """Static files are collected, compressed and named by their content."""
    arguments = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(arguments, cwd=settings.BASE_DIR, env=environment(port), check=True)


@contextmanager
def serving() -> Iterator[str]:
    """The address of the site; its processes are ended afterwards."""
    port = free_port()
    collect(port)
    process = subprocess.Popen(
        [*command(), "--bind", f"127.0.0.1:{port}"],
        cwd=settings.BASE_DIR,
        env=environment(port),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/readyz", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=60)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """The page answers 200."""
    until = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, f"the site ended with code {process.returncode}"
        assert time.monotonic() < until, f"{url} did not answer within {PATIENCE} s"
        with suppress(requests.RequestException):
            if requests.get(url, timeout=10).ok:
                return
        time.sleep(0.2)
