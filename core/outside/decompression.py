"""Takes the compression off a response's body as it streams, in pieces of bounded size. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Protocol

import brotli

PIECE = 256 * 1024  # what is decompressed at a time, however well a bomb is packed; Brotli may give twice as much
GZIP_MAGIC = b"\x1f\x8b"


class InvalidCompression(ValueError):
    """The body is not what its Content-Encoding says, or ends in the middle of it."""


class Decompressor(Protocol):
    """One coding of a body, taken off as it streams."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decompressed bytes, in pieces of about `PIECE`; InvalidCompression when they are none."""

    def finish(self) -> None:
        """Raises InvalidCompression when the body has ended too early."""


class Decoding:
    """Takes off every coding that Content-Encoding names, the last first; an unknown one is left on, as browsers do."""

    def __init__(self, content_encoding: str) -> None:
        names = [name.strip().lower() for name in content_encoding.split(",")]
        self._stages = [stage for name in reversed(names) if (stage := _stage(name)) is not None]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The plain bytes, in pieces of bounded size."""
        return self._through(data, 0) if self._stages else iter((data,))

    def finish(self) -> None:
        """Raises InvalidCompression when the body has ended too early."""
        for stage in self._stages:
            stage.finish()

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._stages):
            yield data
            return
        for piece in self._stages[depth].feed(data):
            yield from self._through(piece, depth + 1)


def _stage(name: str) -> Decompressor | None:
    if name in ("gzip", "x-gzip"):
        return _Zlib(is_gzip=True)
    if name == "deflate":
        return _Zlib(is_gzip=False)
    return _Brotli() if name == "br" else None


class _Zlib:
    """gzip with any number of members, zlib, and the bare deflate that some servers call `deflate`."""

    def __init__(self, *, is_gzip: bool) -> None:
        self._is_gzip = is_gzip
        self._stream: zlib._Decompress | None = None
        self._pending = b""
        self._has_ended = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data = self._pending + data
        self._pending = b""
        while True:
            if self._stream is None and not self._begin(data):
                return
            stream = self._stream
            assert stream is not None  # noqa: S101  # _begin has made it
            try:
                piece = stream.decompress(data, PIECE)
            except zlib.error as error:
                raise InvalidCompression(str(error)) from error
            yield piece
            data = stream.unconsumed_tail
            if stream.eof:
                data, self._stream, self._has_ended = stream.unused_data, None, True
            elif not data and len(piece) < PIECE:
                return

    def finish(self) -> None:
        if self._stream is not None or (self._pending and not self._has_ended):
            raise InvalidCompression("incomplete or truncated stream")

    def _begin(self, data: bytes) -> bool:
        """False when `data` is too short to tell, or is padding after the end."""
        if self._has_ended and not (self._is_gzip and data.startswith(GZIP_MAGIC[: len(data)]) and data):
            return False
        if len(data) < 2:
            self._pending = data
            return False
        has_zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
        bare = zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS
        self._stream = zlib.decompressobj(16 + zlib.MAX_WBITS if self._is_gzip else bare)
        return True


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._has_begun = self._has_begun or bool(data)
        if self._stream.is_finished():
            return  # padding after the end
        try:
            piece = self._stream.process(data, output_buffer_limit=PIECE)
            # All input may have been taken while most of its output is still to come.
            while piece or not self._stream.can_accept_more_data():
                yield piece
                piece = self._stream.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise InvalidCompression(str(error)) from error

    def finish(self) -> None:
        if self._has_begun and not self._stream.is_finished():
            raise InvalidCompression("incomplete or truncated stream")
