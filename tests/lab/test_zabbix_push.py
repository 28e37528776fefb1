"""Zabbix's own webhook, imported from the file that we ship, pushes a real problem to a server that listens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4

import pytest

from monitoring.push.signing import HEADER, check
from tests.lab.webhook import webhook
from tests.lab.zabbix import VERSIONS, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab


@contextmanager
def listening() -> Iterator[tuple[str, list[tuple[str, bytes, str]]]]:
    """An address, and the (path, body, signature) of everything that was posted there."""
    heard: list[tuple[str, bytes, str]] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, body, self.headers.get(HEADER, "")))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", heard
        server.shutdown()


@pytest.mark.parametrize("version", list(VERSIONS))
def test_problem_and_recovery_are_pushed_signed(version: str, socket_enabled: None) -> None:
    watch, secret = zabbix(version), uuid4().hex
    with serving() as address, listening() as (url, heard):
        (spec,) = orders(address, 1)
        with webhook(watch, url, secret, spec.key):
            try:
                watch.ensure_monitors([spec])
                wait_until(lambda: bool(address.asked))
                address.status = 500
                wait_until(lambda: len(heard) >= 1)
                address.status = 200
                wait_until(lambda: len(heard) >= 2, 90)
            finally:
                watch.remove_monitors([spec.key])
    for path, body, signature in heard[:2]:
        assert path == "/hooks/zabbix/"
        assert json.loads(body)["key"] == spec.key
        check(secret, body, signature, now=datetime.now(UTC))
