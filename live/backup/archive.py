"""One tar archive: `manifest.json`, `database`, and the stored documents under `files/`."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from core import clock
from core.errors import PermanentError
from live.backup.database import dump_database, load_database

FORMAT = 1
MANIFEST, DATABASE, FILES = "manifest.json", "database", "files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive says about itself; the digest is the SHA-256 of its database."""

    format: int
    created_at: str
    vendor: str
    migrations: list[str]
    digest: str


def write_backup(target: Path) -> Manifest:
    """`target` is a whole backup, readable by its owner only; it appears under its name once it is complete.

    The database is dumped before the documents are read. They never change, so each that the dump names is there;
    those that were written meanwhile are surplus.
    """
    partial = target.with_name(f"{target.name}.partial")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
        dump = Path(folder) / DATABASE
        dump_database(dump)
        manifest = Manifest(
            format=FORMAT,
            created_at=clock.now().isoformat(),
            vendor=connection.vendor,
            migrations=sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
            digest=_digest(dump),
        )
        descriptor = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            text = json.dumps(asdict(manifest), indent=1).encode()
            entry = tarfile.TarInfo(MANIFEST)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text))
            archive.add(dump, DATABASE)
            if settings.MEDIA_ROOT.is_dir():
                archive.add(settings.MEDIA_ROOT, FILES)
    partial.replace(target)
    return manifest


def read_manifest(source: Path) -> Manifest:
    """What the archive says about itself; raises PermanentError when it is none of ours, or for another database."""
    try:
        with tarfile.open(source) as archive:
            member = archive.extractfile(MANIFEST)
            manifest = Manifest(**json.load(member)) if member else None
    except (OSError, tarfile.TarError, KeyError, ValueError, TypeError) as error:
        raise PermanentError(f"{source} is not a backup of Geocat Live: {error}") from error
    if manifest is None or manifest.format != FORMAT:
        raise PermanentError(f"{source} was written in a format that this version does not read")
    if manifest.vendor != connection.vendor:
        raise PermanentError(f"{source} is a backup of {manifest.vendor}, and DATABASE_URL names {connection.vendor}")
    return manifest


def load_backup(source: Path, manifest: Manifest) -> int:
    """Database and documents are those of the archive; returns the number of documents.

    Nothing has changed when the archive is damaged. Documents that are here already are kept as they are.
    """
    with tempfile.TemporaryDirectory(dir=settings.VAR_DIR, prefix=".restore-") as name, tarfile.open(source) as archive:
        folder = Path(name)
        try:
            archive.extractall(folder, filter="data")
        except (OSError, tarfile.TarError) as error:
            raise PermanentError(f"{source} could not be unpacked: {error}") from error
        if _digest(folder / DATABASE) != manifest.digest:
            raise PermanentError(f"{source} is damaged: its database is not the one that was backed up")
        count = 0
        for document in _documents(folder / FILES):
            place = settings.MEDIA_ROOT / document.relative_to(folder / FILES)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                document.replace(place)
            count += 1
        load_database(folder / DATABASE)
    return count


def _documents(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def unknown_migrations(manifest: Manifest, on_disk: set[str]) -> list[str]:
    """Migrations of the backup that this version does not have: it was written by a later one."""
    return sorted(set(manifest.migrations) - on_disk)
