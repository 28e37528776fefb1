"""An icon of a product is a picture, and nothing else."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from django.conf import settings

from products.pictures.icon import LARGEST, PNG, BadIcon, read_icon

OPEN = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 8 8">'


def svg(inner: str) -> bytes:
    return f"{OPEN}{inner}</svg>".encode()


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 8, height: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return PNG + header + chunk(b"IDAT", zlib.compress(b"\0" * (width + 1) * height)) + chunk(b"IEND", b"")


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(BadIcon) as caught:
        read_icon(name, content)
    return str(caught.value)


@pytest.mark.parametrize(
    "inner",
    [
        '<path d="M0 0h8v8z" fill="#fff"/>',
        '<defs><linearGradient id="a"><stop offset="0"/></linearGradient></defs><rect fill="url(#a)" width="8"/>',
        '<g id="b"/><use xlink:href="#b"/><use href="#b"/>',
        "<title>Map</title><text>A</text>",
    ],
)
def test_shapes_texts_and_gradients_are_taken(inner: str) -> None:
    icon = read_icon("icon.svg", svg(inner))
    assert (icon.media_type, icon.content) == ("image/svg+xml", svg(inner))


def test_sample_icon_is_taken() -> None:
    path = Path(settings.BASE_DIR, "catalogue/products/sdi-lite/gateway/site/icon.svg")
    assert read_icon(path.name, path.read_bytes()).media_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (svg("<script>alert(1)</script>"), "<script> is not allowed"),
        (svg("<style>*{}</style>"), "<style> is not allowed"),
        (svg("<foreignObject/>"), "<foreignObject> is not allowed"),
        (svg('<image href="#a"/>'), "<image> is not allowed"),
        (svg('<a href="#b"/>'), "<a> is not allowed"),
        (svg('<animate attributeName="href"/>'), "<animate> is not allowed"),
        (svg('<set attributeName="onload" to="alert(1)"/>'), "<set> is not allowed"),
        (svg('<html:script xmlns:html="http://www.w3.org/1999/xhtml"/>'), "<script> is not allowed"),
        (svg('<path onclick="alert(1)"/>'), "“onclick” is not allowed"),
        (svg('<path ONLOAD="alert(1)"/>'), "“ONLOAD” is not allowed"),
        (svg('<use href="https://evil.example/a.svg#b"/>'), "“href” refers to something outside"),
        (svg('<use xlink:href="javascript:alert(1)"/>'), "“href” refers to something outside"),
        (svg('<path fill="url(https://evil.example)"/>'), "“fill” refers to something outside"),
        (svg('<path style="background:url( //evil.example )"/>'), "“style” refers to something outside"),
        (svg('<path style="background:u\\72l(x)"/>'), "“style” refers to something outside"),
        (b"<html/>", "does not begin with <svg"),
        (b"<svg/>", "does not begin with <svg"),
        (svg("<path>"), "not valid SVG: line 1"),
        (b"", "not valid SVG"),
        (b"\xff\xfe\x00", "not valid SVG"),
        (b'<?xml version="1.0" encoding="klingon"?><svg/>', "not valid SVG"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + svg("&a;"), "a document type is not allowed"),
        (b'<?xml-stylesheet href="https://evil.example"?>' + svg(""), "processing instructions"),
        (svg("<g/>" * 2001), "more than 2000 elements"),
        (svg(" " * LARGEST), "larger than 64 kB"),
    ],
)
def test_svg_that_could_do_anything_else_is_refused(content: bytes, reason: str) -> None:
    assert reason in refusal("icon.svg", content)


def test_png_is_taken() -> None:
    assert read_icon("icon.png", png()).media_type == "image/png"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"GIF89a", "not a valid PNG"),
        (svg(""), "not a valid PNG"),
        (png()[:-3], "not a valid PNG"),
        (png() + b"<script>", "not a valid PNG"),
        (png().replace(b"IHDR", b"IHDX"), "not a valid PNG"),
        (PNG, "not a valid PNG"),
        (PNG + chunk(b"IHDR", b"short") + chunk(b"IDAT", b"") + chunk(b"IEND", b""), "not a valid PNG"),
        (png(width=5000, height=1), "5000 × 1 pixels"),
        (png(width=0), "0 × 8 pixels"),
    ],
)
def test_file_that_is_no_small_png_is_refused(content: bytes, reason: str) -> None:
    assert reason in refusal("icon.png", content)
