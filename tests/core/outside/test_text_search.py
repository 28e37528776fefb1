"""A text is found in a stream, whatever the charset and wherever it is cut."""

from __future__ import annotations

import pytest

from core.outside.text_search import TextSearch

GERMAN = "Gewässer"


def is_found(body: bytes, *, text: str = GERMAN, charset: str = "", size: int = 1) -> bool:
    search = TextSearch(text, charset=charset)
    for start in range(0, len(body), size):
        search.feed(body[start : start + size])
    return search.finish()


@pytest.mark.parametrize("size", [1, 7, 1024, 5000])
def test_text_is_found_however_the_body_is_cut(size: int) -> None:
    body = ("x" * 3000 + GERMAN + "y" * 3000).encode()
    assert is_found(body, size=size)
    assert not is_found(body.replace(b"G", b"g"), size=size)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (GERMAN.encode("latin-1"), "ISO-8859-1"),
        (GERMAN.encode("latin-1"), ""),
        (f'<?xml version="1.0" encoding="ISO-8859-15"?>{GERMAN}'.encode("iso-8859-15"), ""),
        (f'<html><meta charset="windows-1252">{GERMAN}'.encode("cp1252"), ""),
        (f"\ufeff{GERMAN}".encode("utf-16-le"), "iso-8859-1"),
        (f"\ufeff{GERMAN}".encode(), "iso-8859-1"),
        (f'<?xml version="1.0" encoding="UTF-16"?>{GERMAN}'.encode("utf-16-be"), ""),
        (GERMAN.encode(), "no-such-charset"),
        (GERMAN.encode(), "hex"),
    ],
)
def test_text_is_found_in_the_charset_of_the_body(body: bytes, charset: str) -> None:
    assert is_found(body, charset=charset)


def test_nothing_expected_is_found_at_once() -> None:
    assert TextSearch("").finish()
