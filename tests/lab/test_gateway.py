"""The gateway of compose.yaml, run for real in front of the site."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def gateway(live_server: LiveServer, tmp_path: Path) -> Iterator[str]:
    """The address of a Caddy that runs the shipped configuration; only the site's address is another."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shipped = (settings.BASE_DIR / "deploy/Caddyfile").read_text()
    assert shipped.count("web:8000") == 1
    config = tmp_path / "Caddyfile"
    config.write_text("{\n\tadmin off\n}\n" + shipped.replace("web:8000", live_server.url.removeprefix("http://")))
    environment = {**os.environ, "LIVE_HOST": f"http://127.0.0.1:{port}", "HOME": str(tmp_path)}
    command = ["caddy", "run", "--config", str(config), "--adapter", "caddyfile"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


def wait_for(url: str) -> None:
    """The gateway passes requests on."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if requests.get(f"{url}/healthz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    pytest.fail("the gateway did not come up")


def test_gateway_passes_requests_on_with_an_id_and_hides_metrics(gateway: str) -> None:
    first, second = (requests.get(f"{gateway}/healthz", timeout=10) for _ in range(2))
    assert first.text == "ok\n"
    assert len(first.headers["X-Request-ID"]) == 36
    assert first.headers["X-Request-ID"] != second.headers["X-Request-ID"]
    assert requests.get(f"{gateway}/metrics", timeout=10).status_code == 404
    page = requests.get(f"{gateway}/account/login/", timeout=30, headers={"Accept-Encoding": "gzip"})
    assert (page.status_code, page.headers["Content-Encoding"]) == (200, "gzip")


def test_gateway_refuses_bodies_that_no_page_of_the_site_takes(gateway: str) -> None:
    answer = requests.post(f"{gateway}/account/login/", data=b"x" * 31_000_000, timeout=60)
    assert answer.status_code in (413, 502)  # which of both depends on who closes the connection first
