"""The built-in HTTP checker against a real, local web server."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.http_check import HttpCheck, HttpResult, check_all
from core.outside.http_checker import COMPLETE_UP_TO, MAX_REDIRECTS
from tests.fakes.tls import self_signed

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "localhost"])]


class Site(BaseHTTPRequestHandler):
    """A page per kind of trouble."""

    def do_GET(self) -> None:
        page = self.path.strip("/").split("/")
        match page:
            case ["status", code]:
                self._answer(int(code), b"")
            case ["hops", "0"]:
                self._answer(200, b"there")
            case ["hops", left]:
                self._answer(302, b"", Location=f"/hops/{int(left) - 1}")
            case ["asleep"]:
                time.sleep(5)
            case ["drip"]:
                self._drip()
            case ["long"]:
                self._answer(200, b"x" * COMPLETE_UP_TO + b"needle")
            case ["cut"]:
                self._answer(200, b"half", **{"Content-Length": "8"})
            case ["cookie"]:
                self._answer(200, self.headers.get("Cookie", "none").encode(), **{"Set-Cookie": "a=b"})
            case _:
                self._answer(200, b"<WMS_Capabilities version='1.3.0'>")

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(50):
            self.wfile.write(b".")
            time.sleep(0.1)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is written."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """A checker that hangs up early is what some tests are about."""


@contextmanager
def serving(context: ssl.SSLContext | None = None) -> Iterator[str]:
    server = QuietServer(("127.0.0.1", 0), Site)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"{'https' if context else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with serving() as url:
        yield url


def check_one(url: str, **promises: object) -> HttpResult:
    [result] = check_all([HttpCheck(url=url, **promises)])  # type: ignore[arg-type]
    return result


def kind_of(url: str) -> FailureKind | None:
    failure = check_one(url).failure
    return failure.kind if failure else None


def test_nothing_to_check_is_no_results() -> None:
    assert check_all([]) == []


def test_a_kept_promise_is_ok(site: str) -> None:
    result = check_one(f"{site}/wms", contains="<WMS_Capabilities")
    assert (result.ok, result.failure, result.status) == (True, None, 200)
    assert 0 < result.seconds < 5


def test_another_status_is_named_beside_the_promised_one(site: str) -> None:
    result = check_one(f"{site}/status/503")
    assert (result.failure, result.status) == (CheckFailure(kind=FailureKind.STATUS, status=503, expected=200), 503)


def test_a_promised_error_status_is_ok(site: str) -> None:
    assert check_one(f"{site}/status/401", status=401).ok


def test_a_missing_text_is_quoted(site: str) -> None:
    result = check_one(f"{site}/wms", contains="<Capabilities")
    assert (result.failure, result.status) == (CheckFailure(kind=FailureKind.TEXT_MISSING, text="<Capabilities"), 200)


def test_an_address_that_stays_silent_is_given_up(site: str) -> None:
    result = check_one(f"{site}/asleep", max_seconds=0.2)
    assert result.failure == CheckFailure(kind=FailureKind.TIMEOUT, seconds=0.2)
    assert result.seconds < 4


def test_a_body_that_drips_does_not_outlast_the_time_out(site: str) -> None:
    result = check_one(f"{site}/drip", max_seconds=0.3)
    assert result.failure == CheckFailure(kind=FailureKind.TIMEOUT, seconds=0.3)
    assert result.seconds < 4


def test_text_after_the_first_megabyte_is_found(site: str) -> None:
    assert check_one(f"{site}/long", contains="needle").ok


def test_an_answer_that_breaks_off_is_not_ok(site: str) -> None:
    assert kind_of(f"{site}/cut") is FailureKind.CONNECTION_CLOSED


def test_ten_redirects_are_followed(site: str) -> None:
    assert check_one(f"{site}/hops/{MAX_REDIRECTS}", contains="there").ok


def test_one_redirect_more_is_not_followed(site: str) -> None:
    assert kind_of(f"{site}/hops/{MAX_REDIRECTS + 1}") is FailureKind.TOO_MANY_REDIRECTS


def test_a_promised_redirect_is_not_followed(site: str) -> None:
    assert check_one(f"{site}/hops/9", status=302).ok


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    assert kind_of(f"http://127.0.0.1:{port}/") is FailureKind.CONNECTION_REFUSED


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/", "http://", "no address at all"])
def test_what_is_not_a_web_address_is_said_so(url: str) -> None:
    assert kind_of(url) is FailureKind.INVALID_ADDRESS


def test_a_proxy_in_the_environment_is_ignored(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert check_one(f"{site}/wms").ok


def test_a_certificate_nobody_vouches_for_is_not_valid(tmp_path: Path) -> None:
    with serving(self_signed(tmp_path)) as url:
        assert kind_of(url) is FailureKind.CERTIFICATE_SELF_SIGNED


def test_plain_http_where_tls_is_expected_is_no_secure_connection(site: str) -> None:
    assert kind_of(site.replace("http:", "https:")) is FailureKind.TLS


def test_results_keep_the_order_of_the_checks_and_run_side_by_side(site: str) -> None:
    started = time.monotonic()
    pages = [("asleep", 0.5), ("status/404", 10), ("asleep", 0.5), ("wms", 10)] * 8
    results = check_all([HttpCheck(url=f"{site}/{page}", max_seconds=seconds) for page, seconds in pages])
    assert [result.status for result in results] == [None, 404, None, 200] * 8
    assert time.monotonic() - started < 6


def test_one_check_does_not_see_the_cookies_of_another(site: str) -> None:
    results = check_all([HttpCheck(url=f"{site}/cookie", contains="none")] * 3, concurrency=1)
    assert all(result.ok for result in results)
