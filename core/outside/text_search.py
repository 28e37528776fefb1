"""Searches a response's body for a text as it streams, whatever its charset, and never keeps it. Pure."""

from __future__ import annotations

import codecs
import re

SNIFFED = 1024  # within so many bytes HTML and XML declare their charset
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# An XML declaration in UTF-16 without a mark: https://www.w3.org/TR/xml/#sec-guessing
WIDE_DECLARATIONS = ((b"<\0?\0", "utf-16-le"), (b"\0<\0?", "utf-16-be"))
XML_DECLARATION = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']""")
HTML_META = re.compile(rb"""<meta[^>]*?\bcharset\s*=\s*["']?\s*([A-Za-z0-9._:-]+)""", re.IGNORECASE)
# What browsers read for these labels: https://encoding.spec.whatwg.org/#names-and-labels
READ_AS_WINDOWS = {"ascii", "iso8859-1"}
UNDECLARED = "utf-8-or-windows-1252"


def _windows_bytes(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are not UTF-8, read as Windows-1252: what browsers take undeclared pages for."""
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101  # registered for decoding only
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(UNDECLARED, _windows_bytes)


class TextSearch:
    """Looks for a text in a body that arrives in parts of any size."""

    def __init__(self, text: str, *, charset: str = "") -> None:
        self.found = not text
        self._text = text
        self._charset = charset
        self._start = b""
        self._window = ""
        self._decoder: codecs.IncrementalDecoder | None = None

    def finish(self) -> bool:
        """True when the text was in the body."""
        self.feed(b"", is_last=True)
        return self.found

    def feed(self, part: bytes, *, is_last: bool = False) -> None:
        """One more part; the charset is known with the first kilobyte."""
        if self.found:
            return
        if self._decoder is None:
            self._start += part
            if len(self._start) < SNIFFED and not is_last:
                return
            charset, errors = charset_of(self._start, declared=self._charset)
            self._decoder = codecs.getincrementaldecoder(charset)(errors)
            part, self._start = self._start, b""
        self._window += self._decoder.decode(part, is_last)
        self.found = self._text in self._window
        # The text may lie across two parts: what could be its beginning is kept.
        self._window = self._window[len(self._window) - len(self._text) + 1 :] if len(self._text) > 1 else ""


def charset_of(start: bytes, *, declared: str = "") -> tuple[str, str]:
    """The codec of a body that begins with `start`, and what to do with bytes that are not of it.

    As browsers do: the byte order mark, then Content-Type (`declared`), then the document's own declaration.
    """
    for mark, charset in (*BYTE_ORDER_MARKS, *WIDE_DECLARATIONS):
        if start.startswith(mark) and not (declared and (mark, charset) in WIDE_DECLARATIONS):
            return charset, "replace"
    head = start[:SNIFFED]
    own = XML_DECLARATION.search(head) or HTML_META.search(head)
    for label in (declared, own[1].decode("ascii") if own else ""):
        if codec := _codec(label):
            return codec, "replace"
    return "utf-8", UNDECLARED


def _codec(label: str) -> str:
    """Python's codec for a charset's label; empty for one that does not exist or is not one of text."""
    try:
        codec = codecs.lookup(label.strip())
        b"a".decode(codec.name, "replace")  # refuses codecs such as hex or zlib
        codecs.getincrementaldecoder(codec.name)
    except (LookupError, ValueError):
        return ""
    if codec.name == "utf-16":
        return "utf-16-le"  # without a mark, browsers read little-endian
    return "cp1252" if codec.name in READ_AS_WINDOWS else codec.name
