"""Packs the release's files that containers read at run time, for the engine's host.

The same files give the same bytes.
"""

from __future__ import annotations

import tarfile
from collections.abc import Collection, Mapping
from io import BytesIO
from pathlib import Path


def pack_files(product: Path, paths: Collection[str]) -> bytes:
    """A tar of the files at and below these paths of the release's folder; empty if there are none."""
    files: dict[str, Path] = {}
    for path in paths:
        place = product / path
        inside = [place, *place.rglob("*")] if place.is_dir() else [place]
        files |= {str(item.relative_to(product)): item for item in inside}
    return tar_of(files) if files else b""


def tar_of(files: Mapping[str, Path]) -> bytes:
    """A tar of these files, readable by everybody and writable by nobody."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(files.items()):
            member = tarfile.TarInfo(name)
            if path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
                continue
            content = path.read_bytes()
            member.size, member.mode = len(content), 0o555 if path.stat().st_mode & 0o100 else 0o444
            archive.addfile(member, BytesIO(content))
    return packed.getvalue()
