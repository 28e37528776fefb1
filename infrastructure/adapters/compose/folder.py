"""The folder from which one composition is launched: private, empty at first, and locked by one run at a time.

It is removed afterwards, unless a job continues in it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tarfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from io import BytesIO
from pathlib import Path, PurePosixPath

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.env_file import env_text
from infrastructure.contracts.runtime import Composition, InProgress

MAX_UNPACKED = 512 * 1024 * 1024
BUSY = timedelta(seconds=10)
ABANDONED_AFTER = 24 * 3600  # seconds; no launch takes a tenth of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """The composition's files, and the lock that excludes others while its descriptor is open."""

    path: Path
    lock: int

    @property
    def product(self) -> Path:
        """The release's own files. Nothing secret is in here: builds may copy all of it into an image."""
        return self.path / "product"

    @property
    def env_file(self) -> Path:
        """The values for `${NAME}`. Holds secrets."""
        return self.path / "live.env"

    @property
    def launched(self) -> Path:
        """The compose file that is launched: the release's, as resolved by Compose and completed. Holds secrets."""
        return self.path / "live.compose.json"


@contextmanager
def held_folder(work_dir: Path, key: str) -> Iterator[Folder]:
    """An empty folder of `key` that no other run uses; it is removed afterwards, unless a job was started.

    The lock is held as long as its descriptor is open: by a job, until its last process has ended.
    """
    path = work_dir / key
    lock = _lock(path, key)
    try:
        _empty(path)
        yield Folder(path=path, lock=lock)
    finally:
        if not (path / "job").exists():
            shutil.rmtree(path, ignore_errors=True)
        os.close(lock)


def drop_secrets(path: Path) -> None:
    """The launch's input is removed; its output stays."""
    shutil.rmtree(path / "product", ignore_errors=True)
    for name in ("live.env", "live.compose.json"):
        (path / name).unlink(missing_ok=True)


def clear_abandoned(work_dir: Path) -> None:
    """Remove folders that nobody returned to: their order was removed by another machine or with its server."""
    before = time.time() - ABANDONED_AFTER
    with suppress(OSError):
        for path in list(work_dir.iterdir()):
            with suppress(OSError, OutsideError):
                if path.stat().st_mtime < before:
                    with held_folder(work_dir, path.name):
                        """Emptied on entry and removed on exit; a folder in use is locked."""


def is_locked(path: Path) -> bool:
    """True while the folder is locked."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def take_slot(work_dir: Path, *, at_once: int) -> int:
    """One of `at_once` slots, as a descriptor; the slot is taken until every process that holds it has closed it."""
    slots = work_dir.with_name(f"{work_dir.name}.slots")
    try:
        slots.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number in range(at_once):
            slot = os.open(slots / str(number), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(slot)
            else:
                return slot
    except OSError as error:
        raise ConfigError(f"the folder {slots} cannot be used: {error.strerror}") from error
    message = f"Queued: {at_once} launches are already running on this machine"
    raise InProgress(message, retry_in=BUSY, is_bounded=True)


def write_release(folder: Folder, composition: Composition) -> None:
    """The folder holds the release's files and the order's values."""
    values = env_text(composition.environment)
    try:
        folder.product.mkdir()
        _unpack(composition.bundle, folder.product)
        (folder.product / "compose.yaml").write_text(composition.compose, encoding="utf-8")
        _write(folder.env_file, values)
    except OSError as error:
        raise _unwritten(error) from error


def write_launched(folder: Folder, text: str) -> None:
    """The folder holds the compose file that is launched."""
    try:
        _write(folder.launched, text)
    except OSError as error:
        raise _unwritten(error) from error


def _unwritten(error: OSError) -> PermanentError:
    return PermanentError(f"the composition's files cannot be written: {error.strerror or error}")


def _lock(path: Path, key: str) -> int:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ConfigError(f"the folder {path} cannot be created: {error.strerror}") from error
    if not _is_ours(lock, path):
        os.close(lock)
        raise TransientError(f"another run is still working on {key}", retry_in=BUSY)
    return lock


def _is_ours(lock: int, path: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # The run that held it may have removed the folder since it was opened here.
        return path.stat().st_ino == os.fstat(lock).st_ino
    except (BlockingIOError, FileNotFoundError):
        return False


def _empty(path: Path) -> None:
    path.chmod(0o700)
    for entry in path.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _unpack(bundle: bytes, into: Path) -> None:
    if not bundle:
        return
    try:
        with tarfile.open(fileobj=BytesIO(bundle), mode="r:gz") as archive:
            if sum(member.size for member in archive) > MAX_UNPACKED:
                raise PermanentError(f"the release's files are larger than {MAX_UNPACKED // 1024**2} MB")
            for member in archive:
                _unpack_one(archive, member, into)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise PermanentError(f"the release's files cannot be unpacked: {error}") from error


def _unpack_one(archive: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """Plain files only, so no link can lead outside; tarfile's own `data` filter is missing in Debian 12's Python."""
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or not (member.isreg() or member.isdir()):
        raise PermanentError(f"the release's files cannot be unpacked: '{member.name}' is not a plain file inside them")
    folder = into / (name if member.isdir() else name.parent)
    folder.mkdir(parents=True, exist_ok=True)
    for made in (folder, *folder.parents):
        if made == into:
            break
        # Builds copy the modes; with a worker's strict umask the container's own user could not read the files.
        made.chmod(0o755)
    if content := archive.extractfile(member):
        (into / name).write_bytes(content.read())
        (into / name).chmod(0o755 if member.mode & 0o100 else 0o644)


def _write(path: Path, text: str) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
