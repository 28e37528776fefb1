"""The built-in checker against real web servers, certificates and all; nothing they do holds it up."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.outside import http_checker
from core.outside.address_guard import PUBLIC_ONLY, AddressGuard
from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.http_check import HttpCheck, HttpResult, check_all
from monitoring.adapters.builtin.checker import BuiltinBackend
from monitoring.contracts.backend import CheckSpec, Health, MonitorSpec
from tests.lab.authority import DAY, Authority

pytestmark = [pytest.mark.lab, pytest.mark.usefixtures("socket_enabled")]

Drop = Callable[[socket.socket, int], object]
"""Sends what a server says at its so many-th word."""


class Site(BaseHTTPRequestHandler):
    """A page per kind of trouble."""

    def do_GET(self) -> None:
        match self.path.strip("/").split("/"):
            case ["after", seconds]:
                time.sleep(float(seconds))
                self._answer(200, b"well")
            case ["loop"]:
                self._answer(302, b"", Location="/loop")
            case ["to", port]:
                self._answer(302, b"", Location=f"https://127.0.0.1:{port}/after/0")
            case ["endless"]:
                self._pour(b"x" * 65536)
            case ["drip"]:
                self._pour(b".", every=0.2)
            case [code]:
                self._answer(int(code), b"well")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _pour(self, rows: bytes, *, every: float = 0.0) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(rows)
            time.sleep(every)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up early is what this is about."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    with Server(("127.0.0.1", 0), Site) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextmanager
def speaking(drop: Drop) -> Iterator[int]:
    """A port whose server says whatever `drop` sends, byte by byte, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        over = threading.Event()

        def serve() -> None:
            line, _ = door.accept()
            with line:
                texts = 0
                with suppress(OSError):
                    while not over.wait(0.1):
                        drop(line, texts)
                        texts += 1

        threading.Thread(target=serve, daemon=True).start()
        yield door.getsockname()[1]
        over.set()


def check_one(url: str, *, guard: AddressGuard = PUBLIC_ONLY, **promises: object) -> HttpResult:
    [result] = check_all([HttpCheck(url=url, **promises)], guard=guard)  # type: ignore[arg-type]
    return result


def kind_of(result: HttpResult) -> FailureKind | None:
    return result.failure.kind if result.failure else None


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """An authority that the checker trusts, and no other."""
    authority = Authority(tmp_path)
    trusting = ssl.create_default_context(cafile=str(authority.file))
    monkeypatch.setattr(http_checker, "trusted_authorities", lambda: trusting)
    return authority


@pytest.fixture
def site() -> Iterator[str]:
    with serving() as url:
        yield url


def test_certificate_of_a_trusted_authority_is_taken(authority: Authority) -> None:
    now = datetime.now(UTC)
    with serving(authority.vouch(since=now - DAY, until=now + DAY)) as url:
        result = check_one(f"{url}/200", contains="well")
    assert (result.ok, result.failure) == (True, None)


@pytest.mark.parametrize(
    ("since", "until", "address", "kind"),
    [
        (-2 * DAY, -DAY, "127.0.0.1", FailureKind.CERTIFICATE_EXPIRED),
        (DAY, 2 * DAY, "127.0.0.1", FailureKind.CERTIFICATE_NOT_YET_VALID),
        (-DAY, DAY, "127.0.0.2", FailureKind.CERTIFICATE_HOST_MISMATCH),
    ],
)
def test_certificate_that_is_not_right_is_said_to_be_wrong(
    authority: Authority, since: timedelta, until: timedelta, address: str, kind: FailureKind
) -> None:
    now = datetime.now(UTC)
    with serving(authority.vouch(since=now + since, until=now + until, address=address)) as url:
        assert kind_of(check_one(f"{url}/200")) is kind


def test_certificate_of_an_authority_that_nobody_knows_is_not_taken(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with serving(Authority(tmp_path).vouch(since=now - DAY, until=now + DAY)) as url:
        assert kind_of(check_one(f"{url}/200")) is FailureKind.CERTIFICATE_UNTRUSTED


def test_redirect_to_a_certificate_that_is_not_right_is_not_well(authority: Authority, site: str) -> None:
    now = datetime.now(UTC)
    with serving(authority.vouch(since=now - 2 * DAY, until=now - DAY)) as url:
        port = url.rsplit(":", 1)[1]
        result = check_one(f"{site}/to/{port}", guard=AddressGuard.of_ranges(["127.0.0.0/8"]))
    assert kind_of(result) is FailureKind.CERTIFICATE_EXPIRED


def test_status_and_content_are_what_was_promised(site: str) -> None:
    assert check_one(f"{site}/200", contains="well").ok
    assert check_one(f"{site}/404").failure == CheckFailure(kind=FailureKind.STATUS, status=404, expected=200)
    assert check_one(f"{site}/404", status=404).ok
    assert check_one(f"{site}/200", contains="ill").failure == CheckFailure(kind=FailureKind.TEXT_MISSING, text="ill")


def test_redirects_in_a_circle_come_to_an_end(site: str) -> None:
    result = check_one(f"{site}/loop")
    assert kind_of(result) is FailureKind.TOO_MANY_REDIRECTS
    assert result.seconds < 5


def test_endless_body_is_read_no_further_than_needed(site: str) -> None:
    result = check_one(f"{site}/endless", contains="needle", max_seconds=1)
    assert kind_of(result) is FailureKind.TIMEOUT
    assert result.seconds < 3
    assert check_one(f"{site}/endless", contains="x" * 100).ok
    assert check_one(f"{site}/endless").ok


@pytest.mark.parametrize("page", ["after/9", "drip"])
def test_slowness_is_given_up_in_time(site: str, page: str) -> None:
    result = check_one(f"{site}/{page}", max_seconds=1)
    assert result.failure == CheckFailure(kind=FailureKind.TIMEOUT, seconds=1)
    assert 1 <= result.seconds < 3


def headers_that_never_end(line: socket.socket, texts: int) -> object:
    return line.send(b"a" if texts else b"HTTP/1.1 200 OK\r\nX-Slow: ")


@pytest.mark.parametrize(
    ("scheme", "drop"),
    [
        ("http", lambda line, texts: None),
        ("http", lambda line, texts: line.send(b"HTTP/1.1 200 OK"[texts : texts + 1])),
        ("http", headers_that_never_end),
        ("https", lambda line, texts: None),
        ("https", lambda line, texts: line.send(b"\x16\x03\x03\x3f\xff\x02\x00\x3f\xf0"[texts : texts + 1] or b"\x00")),
    ],
    ids=["silence", "a status that drips", "headers that never end", "no handshake", "a handshake that drips"],
)
def test_nothing_that_is_said_or_left_unsaid_outlasts_the_deadline(scheme: str, drop: Drop) -> None:
    with speaking(drop) as port:
        result = check_one(f"{scheme}://127.0.0.1:{port}/", max_seconds=1.5)
    assert result.failure == CheckFailure(kind=FailureKind.TIMEOUT, seconds=1.5)
    assert 1.5 <= result.seconds < 4


def test_two_hundred_slow_addresses_take_about_as_long_as_one(site: str) -> None:
    specs = [
        MonitorSpec(key=f"live-{n}", name=f"{n}", checks=(CheckSpec(key="wms", name="Maps", url=f"{site}/after/3"),))
        for n in range(200)
    ]
    started = time.monotonic()
    states = BuiltinBackend().read_states(specs)
    assert time.monotonic() - started < 9
    assert [state["wms"].health for state in states.values()] == [Health.UP] * 200
    assert all(3 <= state["wms"].seconds < 8 for state in states.values())
