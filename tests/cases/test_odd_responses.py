"""Further responses of real servers, and redirects: the checker reads them as browsers do."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.http_check import HttpCheck, check_all
from tests.core.outside.raw_server import response, serving_raw

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

OK = response(b"ok")
LARGE = b"<Layer><Name>Gew\xc3\xa4sser</Name></Layer>" * 100_000 + "<Name>Schluß-地図</Name>".encode()
WORD = "Schluß-地図"


def failure_of(pages: dict[str, bytes], *, contains: str = "ok", status: int = 200) -> CheckFailure | None:
    """Why the check of `/` failed; None when it passed."""
    with serving_raw(pages) as port:
        check = HttpCheck(url=f"http://127.0.0.1:{port}/", contains=contains, status=status, max_seconds=10)
        [result] = check_all([check])
    return result.failure


def chunked(*parts: bytes, size: str = "{:x}", trailer: bytes = b"", headers: str = "") -> bytes:
    """A response in chunks; `size` writes the length of each."""
    head = f"HTTP/1.1 200 OK\r\n{headers}Transfer-Encoding: chunked\r\n\r\n".encode()
    chunks = b"".join(size.format(len(part)).encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return head + chunks + b"0\r\n" + trailer + b"\r\n"


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n" * 5,
        b"HTTP/1.1 103 Early Hints\r\nContent-Type: text/html\r\nContent-Encoding: br\r\n\r\n",
        b"HTTP/1.1 104 Upload Resumption Supported\r\n\r\n",
        b"HTTP/1.1 199 Miscellaneous\r\n\r\n",
    ],
)
def test_interim_responses_of_any_number_are_read_past(before: bytes) -> None:
    assert failure_of({"/": before + OK}) is None
    assert failure_of({"/": before + chunked(b"o", b"k")}) is None


def test_interim_response_alone_is_no_answer() -> None:
    failure = failure_of({"/": b"HTTP/1.1 103 Early Hints\r\n\r\n"})
    assert failure
    assert failure.kind is FailureKind.CONNECTION_CLOSED


@pytest.mark.parametrize(
    ("content_type", "body", "word"),
    [
        ("text/html; charset=windows-1252", "Straße – €".encode("cp1252"), "Straße – €"),
        ("text/html; charset=ISO-8859-1", "5 €".encode("cp1252"), "5 €"),
        ("text/html; charset=iso-8859-15", "5 €".encode("iso-8859-15"), "5 €"),
        ('text/html; charset="UTF-8"', "Gewässer".encode(), "Gewässer"),
        ("text/html;CHARSET=Utf8", "Gewässer".encode(), "Gewässer"),
        ("text/html; charset=utf-16", "Gewässer".encode("utf-16"), "Gewässer"),
        ("text/xml; charset=utf-16be", "Gewässer".encode("utf-16-be"), "Gewässer"),
        ("text/html; charset=Shift_JIS", "地図".encode("shift_jis"), "地図"),
        ("text/html; charset=koi8-r", "Карта".encode("koi8-r"), "Карта"),
        ("text/html; charset=gb18030", "地图".encode("gb18030"), "地图"),
        ("text/html; charset=none-such", "Gewässer".encode(), "Gewässer"),
        ("text/html", b'<meta charset="iso-8859-1"><p>Gew\xe4sser', "Gewässer"),
        ("text/html", b"<meta http-equiv=Content-Type content='text/html; charset=ISO-8859-2'>\xe8", "č"),
        ("application/xml", b"<?xml version='1.0' encoding='ISO-8859-1'?><a>Gew\xe4sser</a>", "Gewässer"),
        ("application/xml", "\ufeff<a>Gewässer</a>".encode(), "Gewässer"),
        ("text/html", b"Gew\xe4sser", "Gewässer"),
        ("", "Gewässer".encode(), "Gewässer"),
        ("nonsense", "Gewässer".encode(), "Gewässer"),
    ],
)
def test_text_is_found_in_the_charset_that_a_browser_reads(content_type: str, body: bytes, word: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    assert failure_of({"/": response(body, headers=headers)}, contains=word) is None
    missing = failure_of({"/": response(body, headers=headers)}, contains=f"{word}!")
    assert missing == CheckFailure(kind=FailureKind.TEXT_MISSING, text=f"{word}!")


BARE = zlib.compressobj(wbits=-zlib.MAX_WBITS)
CODINGS = {
    "gzip": gzip.compress(LARGE, 1, mtime=0),
    "deflate": zlib.compress(LARGE, 1),
    "Deflate": BARE.compress(LARGE) + BARE.flush(),
    "br": brotli.compress(LARGE, quality=1),
    "GZIP": gzip.compress(LARGE[:2_000_001], 1, mtime=0) + gzip.compress(LARGE[2_000_001:], 1, mtime=0),
    "br, gzip": gzip.compress(brotli.compress(LARGE, quality=1), 1, mtime=0),
    "identity": LARGE,
}


@pytest.mark.parametrize("coding", CODINGS)
def test_text_at_the_end_of_megabytes_is_found_in_every_coding(coding: str) -> None:
    headers = {"Content-Encoding": coding, "Content-Type": "text/xml; charset=utf-8"}
    assert failure_of({"/": response(CODINGS[coding], headers=headers)}, contains=WORD) is None


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
@pytest.mark.parametrize("kept", [1, 20, 0.5, 0.99])
def test_compressed_body_that_ends_early_fails_even_when_its_length_is_right(coding: str, kept: float) -> None:
    body = CODINGS[coding][: int(len(CODINGS[coding]) * kept) if isinstance(kept, float) else int(kept)]
    failure = failure_of({"/": response(body, headers={"Content-Encoding": coding})}, contains=WORD)
    assert failure
    assert failure.kind is FailureKind.INVALID_COMPRESSION


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_empty_body_with_a_coding_is_empty(coding: str) -> None:
    page = {"/": response(b"", headers={"Content-Encoding": coding})}
    assert failure_of(page, contains="") is None


@pytest.mark.parametrize("missing", [30, 100, 1_000_000])
def test_body_that_breaks_off_before_the_text_fails(missing: int) -> None:
    page = response(b"ok" + LARGE)
    failure = failure_of({"/": page[:-missing]}, contains=WORD)
    assert failure
    assert failure.kind is FailureKind.CONNECTION_CLOSED


@pytest.mark.parametrize(
    "answer",
    [
        chunked(b"ok", size="{:X}"),
        chunked(b"ok", size="000{:x}"),
        chunked(b"ok", size="{:x};name=value"),
        chunked(b"ok", size='{:x};name="a;b"'),
        chunked(b"o", b"k", trailer=b"X-Checksum: 1\r\nServer-Timing: a;dur=1\r\n", headers="Trailer: X-Checksum\r\n"),
        chunked(b"ok", trailer=b"Set-Cookie: a=b\r\n"),
        chunked(*[b"x"] * 5000, b"ok"),
        chunked(b"x" * 300_000, b"ok", b"y"),
    ],
    ids=["capitals", "zeros", "extension", "quoted", "trailers", "cookie", "many", "large"],
)
def test_chunks_are_put_together(answer: bytes) -> None:
    assert failure_of({"/": answer}) is None


@pytest.mark.parametrize("end", [b"", b"0", b"0\r\n", b"5\r\nok"])
def test_chunks_without_their_end_fail(end: bytes) -> None:
    failure = failure_of({"/": chunked(b"ok").removesuffix(b"0\r\n\r\n") + end})
    assert failure
    assert failure.kind is FailureKind.CONNECTION_CLOSED


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307", "308 "])
@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/gewässer/Übersicht", "/gew%C3%A4sser/%C3%9Cbersicht"),
        ("/地図?名=東京", "/%E5%9C%B0%E5%9B%B3?%E5%90%8D=%E6%9D%B1%E4%BA%AC"),
        ("?lang=de&q=Fluß", "/?lang=de&q=Flu%C3%9F"),
        ("./a/../b|c", "/b|c"),
        ("/a%c3%a4ä", "/a%c3%a4%C3%A4"),
        ("/100%", "/100%"),
        ('/"<q>"', "/%22%3Cq%3E%22"),
        ("/tab\tand more", "/taband%20more"),
    ],
)
def test_redirect_with_plain_letters_is_followed(status: str, location: str, path: str) -> None:
    redirected = response(b"moved", status=status, headers={"Location": location})
    assert failure_of({"/": redirected, path: OK}) is None


@pytest.mark.parametrize("status", [300, 304, 305, 306])
def test_other_statuses_of_three_hundred_are_not_followed(status: int) -> None:
    page = response(b"", status=f"{status} Other", headers={"Location": "/there"})
    failure = failure_of({"/": page, "/there": OK})
    assert failure == CheckFailure(kind=FailureKind.STATUS, status=status, expected=200)


@pytest.mark.parametrize("location", ["", " "])
def test_redirect_to_nowhere_is_an_answer(location: str) -> None:
    page = response(b"", status="302 Found", headers={"Location": location})
    assert failure_of({"/": page}) == CheckFailure(kind=FailureKind.STATUS, status=302, expected=200)


@pytest.mark.parametrize("location", ["javascript:alert(1)", "file:///etc/passwd", "data:text/plain,ok"])
def test_redirect_to_what_is_no_web_address_fails(location: str) -> None:
    failure = failure_of({"/": response(b"", status="302 Found", headers={"Location": location})})
    assert failure
    assert failure.kind is FailureKind.INVALID_ADDRESS
