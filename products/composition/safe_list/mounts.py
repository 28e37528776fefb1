"""The safe list for what a service mounts: named volumes, tmpfs, and files of the product read-only. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from products.composition.safe_list.rules import (
    NO_NAMESPACE,
    NO_SOCKET,
    NO_STRANGERS,
    Context,
    Finding,
    Rule,
    anything,
    is_inside,
    is_relative_path,
    labels,
    mapping_of,
    only,
)


def mount(value: Any, context: Context) -> Iterator[Finding]:
    if not isinstance(value, Mapping):
        yield "", _("this has to be a mapping.")
        return
    kind = value.get("type")
    if kind == "bind":
        yield from _bind(value, context)
    elif kind == "volume":
        source = value.get("source")
        if source and source not in context.volumes:
            yield "", _source_message(str(source))
        yield from MOUNT(value, context)
    elif kind == "tmpfs":
        yield from MOUNT(value, context)
    else:
        yield "type", _("only volumes, tmpfs and files of the product can be mounted, not “%(kind)s”.") % {"kind": kind}


def _bind(value: Mapping[str, Any], context: Context) -> Iterator[Finding]:
    source = value.get("source")
    if not is_inside(source, context):
        yield "", _source_message(str(source or ""))
    elif value.get("read_only") is not True:
        message = _("files of the product can only be mounted read-only: add “:ro”, or use a named volume for data.")
        yield "", message
    yield from BIND(value, context)


def _source_message(source: str) -> str:
    if "docker.sock" in source:
        return _(NO_SOCKET)
    return _("“%(source)s” is a path of the host; use a named volume.") % {"source": source}


def _subpath(value: Any, context: Context) -> Iterator[Finding]:
    if value and not is_relative_path(str(value)):
        yield "", _("“%(path)s” leads out of the volume.") % {"path": value}


def volumes_from(value: Any, context: Context) -> Iterator[Finding]:
    for number, source in enumerate(value or ()):
        name, _colon, mode = str(source).partition(":")
        if name not in context.services or mode not in ("", "ro", "rw"):
            yield f"[{number}]", _(NO_STRANGERS)


MOUNT: Rule = mapping_of(
    {
        "consistency": anything,
        "read_only": anything,
        "source": anything,
        "target": anything,
        "tmpfs": mapping_of({"mode": anything, "size": anything}),
        "type": anything,
        "volume": mapping_of({"labels": labels, "nocopy": anything, "subpath": _subpath}),
    }
)
BIND: Rule = mapping_of(
    {
        "bind": mapping_of({"create_host_path": anything, "selinux": only("z", "Z", message=NO_NAMESPACE)}),
        "consistency": anything,
        "read_only": anything,
        "source": anything,
        "target": anything,
        "type": anything,
    }
)
