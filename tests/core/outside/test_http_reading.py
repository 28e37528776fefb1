"""The checker reads HTTP as browsers do, and refuses what they refuse."""

from __future__ import annotations

import gzip
import socket
import zlib
from pathlib import Path

import brotli
import pytest
from yarl import URL

from core.outside.address_guard import AddressGuard
from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.http_check import HttpCheck, check_all
from core.outside.http_checker import is_same_place
from tests.core.outside.raw_server import redirect, response, serving_raw

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])]

CASES = Path(__file__).parents[2] / "cases"
OK = response(b"ok")


def failure_at(pages: dict[str, bytes], path: str = "/", *, contains: str = "ok", status: int = 200) -> object:
    """Why the check of a page failed; None when it passed."""
    with serving_raw(pages) as port:
        check = HttpCheck(url=f"http://127.0.0.1:{port}{path}", contains=contains, status=status, max_seconds=10)
        [result] = check_all([check])
    return result.failure


def kind_at(pages: dict[str, bytes], path: str = "/", **promises: object) -> FailureKind | None:
    failure = failure_at(pages, path, **promises)
    return failure.kind if isinstance(failure, CheckFailure) else None


@pytest.mark.parametrize("case", ["early-hints-before-the-answer", "processing-before-the-answer"])
def test_interim_responses_are_read_past(case: str) -> None:
    assert failure_at({"/": (CASES / case / "response.http").read_bytes()}) is None


def test_switching_protocols_is_an_answer() -> None:
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"
    assert failure_at({"/": answer}) == CheckFailure(kind=FailureKind.STATUS, status=101, expected=200)


def test_text_in_the_charset_of_content_type_is_found() -> None:
    answer = (CASES / "a-word-in-another-charset" / "response.http").read_bytes()
    assert failure_at({"/": answer}, contains="Gewässer") is None


def test_text_late_in_a_large_response_is_found() -> None:
    body = b"<Layers>" + b"<Layer><Name>x</Name></Layer>" * 60_000 + b"<Name>last-layer</Name></Layers>"
    assert failure_at({"/": response(body)}, contains="last-layer") is None


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/gewässer/", "/gew%C3%A4sser/"),
        ("/gewässer/".encode("latin-1"), "/gew%E4sser/"),
        (" /a b?q=ä c#part ", "/a%20b?q=%C3%A4%20c"),
        ("/is%2Fescaped%20already", "/is%2Fescaped%20already"),
        ("next?x=1", "/next?x=1"),
        ("\\back\\slash", "/back/slash"),
    ],
)
def test_redirect_is_followed_as_browsers_do(location: str | bytes, path: str) -> None:
    assert failure_at({"/": redirect(location), path: OK}) is None


def test_redirect_to_the_same_host_without_scheme_is_followed() -> None:
    pages = {"/there": OK}
    with serving_raw(pages) as port:
        pages["/"] = redirect(f"//127.0.0.1:{port}/there")
        [result] = check_all([HttpCheck(url=f"http://127.0.0.1:{port}/", contains="ok")])
    assert result.ok


def test_redirects_in_a_circle_come_to_an_end() -> None:
    assert kind_at({"/": redirect("/b"), "/b": redirect("/")}) is FailureKind.TOO_MANY_REDIRECTS


def test_redirect_to_no_web_address_is_refused() -> None:
    assert kind_at({"/": redirect("ftp://127.0.0.1/")}) is FailureKind.INVALID_ADDRESS


def test_redirect_to_another_private_host_is_blocked_unless_its_range_is_allowed() -> None:
    pages = {"/there": OK}
    with serving_raw(pages) as port:
        pages["/"] = redirect(f"http://localhost:{port}/there")
        check = HttpCheck(url=f"http://127.0.0.1:{port}/", contains="ok")
        [blocked] = check_all([check])
        [allowed] = check_all([check], guard=AddressGuard.of_ranges(["127.0.0.0/8", "::1/128"]))
    assert blocked.failure
    assert (blocked.failure.kind, blocked.failure.host) == (FailureKind.REDIRECT_BLOCKED, "localhost")
    assert allowed.ok


def test_redirect_to_another_port_of_a_private_host_is_blocked_unless_its_range_is_allowed() -> None:
    pages = {"/there": OK}
    with serving_raw(pages) as own, serving_raw(pages) as other:
        pages["/"] = redirect(f"http://127.0.0.1:{other}/there")
        check = HttpCheck(url=f"http://127.0.0.1:{own}/", contains="ok")
        [blocked] = check_all([check])
        [allowed] = check_all([check], guard=AddressGuard.of_ranges(["127.0.0.0/8"]))
    assert blocked.failure
    assert blocked.failure.kind is FailureKind.REDIRECT_BLOCKED
    assert allowed.ok


@pytest.mark.parametrize(
    ("url", "is_same"),
    [
        ("http://maps.internal/", True),
        ("https://MAPS.internal./", True),
        ("https://maps.internal:8443/", False),
        ("http://maps.internal:6379/", False),
        ("https://other.internal/", False),
    ],
)
def test_https_of_the_same_host_is_the_same_place(url: str, is_same: bool) -> None:
    assert is_same_place(URL(url), URL("http://maps.internal/start")) is is_same


@pytest.mark.parametrize("target", ["http://127.0.0.2/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest/"])
def test_redirect_to_a_private_address_is_blocked_before_a_connection(target: str) -> None:
    assert kind_at({"/": redirect(target)}) is FailureKind.REDIRECT_BLOCKED


def test_cloud_metadata_is_blocked_as_the_address_of_a_check_too() -> None:
    [result] = check_all([HttpCheck(url="http://169.254.169.254/")])
    assert result.failure
    assert result.failure.kind is FailureKind.ADDRESS_BLOCKED


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"ok", mtime=0)),
        ("x-gzip", gzip.compress(b"o", mtime=0) + gzip.compress(b"k", mtime=0) + b"\0\0"),
        ("deflate", zlib.compress(b"ok")),
        ("deflate", zlib.compress(b"ok")[2:-4]),
        ("br", brotli.compress(b"ok")),
        ("gzip, br", brotli.compress(gzip.compress(b"ok", mtime=0))),
        ("unheard-of", b"ok"),
    ],
)
def test_compressed_bodies_are_searched(coding: str, body: bytes) -> None:
    assert failure_at({"/": response(body, headers={"Content-Encoding": coding})}) is None


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(b"ok" * 1000, mtime=0)[:-5]), ("gzip", b"ok"), ("br", brotli.compress(b"ok" * 9)[:-1])],
)
def test_broken_compression_fails(coding: str, body: bytes) -> None:
    page = response(body, headers={"Content-Encoding": coding})
    assert kind_at({"/": page}) is FailureKind.INVALID_COMPRESSION


def test_decompression_bomb_is_streamed_and_bounded_by_time() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1, mtime=0)
    with serving_raw({"/": response(bomb, headers={"Content-Encoding": "gzip"})}) as port:
        [result] = check_all([HttpCheck(url=f"http://127.0.0.1:{port}/", contains="ok", max_seconds=0.2)])
    assert result.failure == CheckFailure(kind=FailureKind.TIMEOUT, seconds=0.2)
    assert result.seconds < 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-Big: " + b"a" * 100_000 + b"\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nX-Name: \xe4\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\nX: 1\r\n\r\n",
    ],
    ids=["no length", "bare line ends", "no reason", "long header", "Latin-1 header", "chunks and trailer"],
)
def test_unusual_but_readable_responses_pass(answer: bytes) -> None:
    assert failure_at({"/": answer}) is None


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nok", FailureKind.CONNECTION_CLOSED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n", FailureKind.CONNECTION_CLOSED),
        (b"", FailureKind.CONNECTION_CLOSED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", FailureKind.INVALID_RESPONSE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok", FailureKind.INVALID_RESPONSE),
    ],
)
def test_incomplete_or_invalid_responses_fail(answer: bytes, kind: FailureKind) -> None:
    assert kind_at({"/": answer}) is kind


def test_response_without_a_body_passes_when_its_status_is_expected() -> None:
    assert failure_at({"/": b"HTTP/1.1 204 No Content\r\n\r\n"}, contains="", status=204) is None


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_ipv6_addresses_are_checked() -> None:
    with serving_raw({"/": OK}, host="::1") as port:
        [result] = check_all([HttpCheck(url=f"http://[::1]:{port}/", contains="ok")])
    assert result.ok
