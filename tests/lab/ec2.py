"""An EC2 of the lab's own, for as long as a test needs it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_connection, create_server

import pytest
from django.test import override_settings

ROOT = Path(__file__).parents[2]
IMAGE = "ami-12c6146b"
SIZES = ("t3.small", "t3.medium", "t3.large")


@contextmanager
def ec2(*options: str) -> Iterator[dict[str, object]]:
    """What libcloud's driver `ec2` has to be told to speak to it; `--boot` gives its servers an address and an sshd.

    It is in a private network, which is allowed meanwhile.
    """
    with create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    command = [sys.executable, str(ROOT / "deploy/lab/ec2"), str(port), *options]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, server)
        with override_settings(ALLOWED_PRIVATE_RANGES=["127.0.0.0/8"]):
            yield {
                "key": "AKIA",
                "secret": "hidden",
                "region": "eu-west-1",
                "host": "127.0.0.1",
                "port": port,
                "secure": False,
            }
    finally:
        server.terminate()
        server.wait(60)  # it takes its servers with it, beside other tests


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        assert server.poll() is None, "moto's server ended"
        try:
            create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("moto's server does not listen")
