"""Files as they were stored: written once, read with their digest checked."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """Where a file is kept, and the SHA-256 of its bytes in hexadecimal."""

    path: str
    sha256: str


def store_file(path: str, content: bytes) -> StoredFile:
    """`content` is in storage at `path`; what a killed worker left there is replaced."""
    default_storage.delete(path)
    default_storage.save(path, ContentFile(content))
    return StoredFile(path=path, sha256=hashlib.sha256(content).hexdigest())


def open_file(file: StoredFile | None) -> ContentFile[bytes] | None:
    """The file as it was stored; none while it is missing, or when its bytes are no longer those that were stored."""
    if file is None or not default_storage.exists(file.path):
        return None
    with default_storage.open(file.path) as stored:
        content = stored.read()
    if file.sha256 and hashlib.sha256(content).hexdigest() != file.sha256:
        logger.error("%s is not the file that was stored: its SHA-256 differs", file.path)
        return None
    return ContentFile(content, name=file.path)
