"""Bodies come apart as they stream, whatever they are packed in, and in pieces that fit into memory."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from core.outside.decompression import PIECE, Decoding, InvalidCompression

TEXT = b"<WMS_Capabilities>" + bytes(range(256)) * 40


def raw_deflate(data: bytes) -> bytes:
    """Deflate without zlib's frame, as some servers send it."""
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def plain(encoding: str, body: bytes, step: int = 7) -> bytes:
    """The body decompressed, fed in small portions."""
    decoding = Decoding(encoding)
    pieces = [piece for at in range(0, len(body), step) for piece in decoding.feed(body[at : at + step])]
    decoding.finish()
    return b"".join(pieces)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZip", gzip.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("br", brotli.compress(TEXT)),
        ("gzip, br", brotli.compress(gzip.compress(TEXT))),
        ("rot13", TEXT),  # an unknown coding is left on
    ],
)
def test_every_coding_that_browsers_take_is_taken_off(encoding: str, body: bytes) -> None:
    assert plain(encoding, body) == TEXT


@pytest.mark.parametrize(
    ("encoding", "body"),
    [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("br", brotli.compress(TEXT))],
)
def test_a_body_that_ends_too_early_is_refused(encoding: str, body: bytes) -> None:
    with pytest.raises(InvalidCompression):
        plain(encoding, body[: len(body) // 2])


@pytest.mark.parametrize("encoding", ["gzip", "br"])
def test_a_body_that_was_never_packed_is_refused(encoding: str) -> None:
    with pytest.raises(InvalidCompression):
        plain(encoding, b"\xff\xfe not packed at all" * 20, step=1000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_bomb_comes_apart_in_pieces_of_bounded_size(encoding: str) -> None:
    size = 20 * PIECE
    packers = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}
    sizes = [len(piece) for piece in Decoding(encoding).feed(packers[encoding](bytes(size)))]
    assert sum(sizes) == size
    assert max(sizes) <= 2 * PIECE
