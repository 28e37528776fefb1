"""A product's own icon, an SVG or PNG of its folder: nothing in it runs, loads or grows. Pure."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.parsers import expat

from django.utils.translation import gettext as _

LARGEST = 64 * 1024
MOST_PIXELS = 1024
MOST_ELEMENTS = 2_000
SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
ELEMENTS = frozenset(
    {
        *("svg", "g", "defs", "title", "desc", "symbol", "use", "path", "rect", "circle", "ellipse", "line"),
        *("polyline", "polygon", "text", "tspan", "linearGradient", "radialGradient", "stop", "clipPath", "mask"),
    }
)
FOREIGN = re.compile(r"url\s*\(\s*['\"]?\s*(?!#)|javascript:|data:|@import|expression\s*\(|\\", re.I)
PNG = b"\x89PNG\r\n\x1a\n"


class BadIcon(ValueError):
    """The file cannot be shown as an icon; the message is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Icon:
    """A checked picture."""

    content: bytes
    media_type: str


def is_icon_file(name: str) -> bool:
    """True of a path; every other icon is the name of a symbol."""
    return "." in name


def read_icon(name: str, content: bytes) -> Icon:
    """The picture in a file of a product; raises BadIcon when it could do anything but be shown."""
    if len(content) > LARGEST:
        raise BadIcon(_("the icon is larger than %(size)d kB.") % {"size": LARGEST // 1024})
    if name.endswith(".png"):
        _check_png(content)
        return Icon(content=content, media_type="image/png")
    _check_svg(content)
    return Icon(content=content, media_type="image/svg+xml")


# --- SVG ----------------------------------------------------------------------------------------------------------
def _check_svg(content: bytes) -> None:
    """Only shapes, text and gradients; no script, style sheet, reference to elsewhere, entity or instruction."""
    parser = expat.ParserCreate(namespace_separator=" ")
    opened: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if not opened and name != f"{SVG} svg":
            raise BadIcon(_("the icon does not begin with <svg xmlns=“%(address)s”>.") % {"address": SVG})
        opened.append(name)
        if len(opened) > MOST_ELEMENTS:
            raise BadIcon(_("the icon has more than %(count)d elements.") % {"count": MOST_ELEMENTS})
        _check_element(name)
        for key, value in attributes.items():
            _check_attribute(key, value)

    parser.StartElementHandler = start
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.ProcessingInstructionHandler = _refuse_instruction
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        message = _("the icon is not valid SVG: line %(line)d, %(problem)s.")
        raise BadIcon(message % {"line": error.lineno, "problem": expat.ErrorString(error.code)}) from error
    except (LookupError, ValueError) as error:
        if isinstance(error, BadIcon):
            raise
        raise BadIcon(_("the icon is not valid SVG: its encoding is unknown.")) from error


def _refuse_doctype(*_arguments: object) -> None:
    raise BadIcon(_("a document type is not allowed in an icon; remove <!DOCTYPE …>."))


def _refuse_instruction(*_arguments: object) -> None:
    raise BadIcon(_("processing instructions (<?…?>) are not allowed in an icon."))


def _check_element(name: str) -> None:
    space, _space, local = name.rpartition(" ")
    if space != SVG or local not in ELEMENTS:
        message = _("<%(element)s> is not allowed in an icon; use shapes, text and gradients.")
        raise BadIcon(message % {"element": local})


def _check_attribute(key: str, value: str) -> None:
    space, _space, local = key.rpartition(" ")
    if local.lower().startswith("on"):
        raise BadIcon(_("“%(name)s” is not allowed in an icon: it would run a script.") % {"name": local})
    is_reference = local.lower() in ("href", "src")
    if (is_reference and not value.startswith("#")) or FOREIGN.search(value):
        raise BadIcon(_("“%(name)s” refers to something outside the icon.") % {"name": local})
    if space not in ("", XLINK, "http://www.w3.org/XML/1998/namespace"):
        raise BadIcon(_("“%(name)s” is not an attribute of SVG.") % {"name": local})


# --- PNG ----------------------------------------------------------------------------------------------------------
def _check_png(content: bytes) -> None:
    """A still picture of a sensible size whose chunks are whole."""
    chunks = list(_chunks(content))
    names = [name for name, _data in chunks]
    if names[:1] != [b"IHDR"] or names[-1:] != [b"IEND"] or b"IDAT" not in names or len(chunks[0][1]) != 13:
        raise BadIcon(_("the icon is not a valid PNG."))
    width, height = struct.unpack(">II", chunks[0][1][:8])
    if not (0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS):
        message = _("the icon has %(width)d × %(height)d pixels; at most %(most)d × %(most)d are allowed.")
        raise BadIcon(message % {"width": width, "height": height, "most": MOST_PIXELS})


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not content.startswith(PNG):
        raise BadIcon(_("the icon is not a valid PNG."))
    position = len(PNG)
    while position < len(content):
        header = content[position : position + 8]
        if len(header) < 8:
            raise BadIcon(_("the icon is not a valid PNG."))
        (length,) = struct.unpack(">I", header[:4])
        end = position + 12 + length
        body, checksum = content[position + 4 : end - 4], content[end - 4 : end]
        if end > len(content) or struct.pack(">I", zlib.crc32(body)) != checksum:
            raise BadIcon(_("the icon is not a valid PNG."))
        yield body[:4], body[4:]
        position = end
