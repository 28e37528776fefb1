"""PHP's `serialize` and `unserialize`, for the base64 texts in which WHMCS takes custom fields. Pure; no objects."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

PhpValue = str | int | float | bool | None | dict[str | int, "PhpValue"]


class NotSerialized(ValueError):
    """The text is not what PHP's `serialize` writes."""


def encode_fields(fields: Mapping[str | int, PhpValue]) -> str:
    """The fields as AddOrder and UpdateClientProduct take them."""
    return base64.b64encode(serialize(dict(fields))).decode()


def decode_fields(text: str) -> dict[str | int, PhpValue]:
    """What `encode_fields` was given; raises NotSerialized."""
    try:
        value = unserialize(base64.b64decode(text, validate=True))
    except binascii.Error as error:
        raise NotSerialized("not base64") from error
    if not isinstance(value, dict):
        raise NotSerialized("not an array")
    return value


def serialize(value: PhpValue) -> bytes:
    """The value as PHP writes it; lengths of text are counted in bytes."""
    match value:
        case None:
            return b"N;"
        case bool():
            return b"b:%d;" % value
        case int():
            return b"i:%d;" % value
        case float():
            return f"d:{value!r};".encode()
        case str():
            raw = value.encode()
            return b's:%d:"%s";' % (len(raw), raw)
        case dict():
            items = b"".join(serialize(key) + serialize(item) for key, item in value.items())
            return b"a:%d:{%s}" % (len(value), items)
    raise TypeError(f"PHP has no {type(value).__name__} for us")


def unserialize(raw: bytes) -> PhpValue:
    """The value that was serialized; raises NotSerialized, and never makes an object."""
    try:
        value, end = _read(raw, 0, depth=0)
    except (ValueError, IndexError, TypeError) as error:
        raise NotSerialized("not a serialized value") from error
    if end != len(raw):
        raise NotSerialized("there is more behind the value")
    return value


def _read(raw: bytes, at: int, *, depth: int) -> tuple[PhpValue, int]:
    kind = raw[at : at + 1]
    if kind == b"N":
        return None, _skip(raw, at + 1, b";")
    start = _skip(raw, at + 1, b":")
    if kind == b"s":
        stop = raw.index(b":", start)
        text_start = _skip(raw, stop + 1, b'"')
        text_end = text_start + int(raw[start:stop])
        return raw[text_start:text_end].decode(), _skip(raw, text_end, b'";')
    if kind == b"a":
        return _read_array(raw, start, depth=depth)
    stop = raw.index(b";", start)
    number = raw[start:stop]
    if kind == b"b":
        return number == b"1", stop + 1
    if kind == b"i":
        return int(number), stop + 1
    if kind == b"d":
        return float(number), stop + 1
    raise NotSerialized("a kind of value that is not read here")


def _read_array(raw: bytes, start: int, *, depth: int) -> tuple[PhpValue, int]:
    if depth > 20:
        raise NotSerialized("nested too deeply")
    stop = raw.index(b":", start)
    at = _skip(raw, stop + 1, b"{")
    items: dict[str | int, PhpValue] = {}
    for _number in range(int(raw[start:stop])):
        key, at = _read(raw, at, depth=depth + 1)
        if not isinstance(key, str | int):
            raise NotSerialized("a key that is neither text nor number")
        items[key], at = _read(raw, at, depth=depth + 1)
    return items, _skip(raw, at, b"}")


def _skip(raw: bytes, at: int, mark: bytes) -> int:
    if raw[at : at + len(mark)] != mark:
        raise NotSerialized(f"{mark.decode()} is missing")
    return at + len(mark)
