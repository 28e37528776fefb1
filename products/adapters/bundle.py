"""A product's files made into one source: the same files give the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from core.text.plain_text import is_plain_text
from products.contracts import DamagedSource, ProductSource

MANIFEST, COMPOSE = "product.yaml", "compose.yaml"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
LARGEST = 64 * 1024 * 1024
LARGEST_FILE = 8 * 1024 * 1024
MOST_FILES = 2_000


@dataclass(frozen=True, slots=True)
class File:
    """What is kept of a file."""

    content: bytes
    is_executable: bool = False


class Damage(Exception):
    """The product's files cannot be used; the message says which."""


@dataclass(slots=True)
class FileBudget:
    """What a product may still take."""

    files: int = 0
    size: int = 0

    def add(self, path: str, size: int) -> None:
        """A file is counted; raises Damage when it, or the product with it, is too large."""
        self.files += 1
        self.size += size
        if size > LARGEST_FILE:
            raise Damage(f"{path} is larger than {LARGEST_FILE // 1024**2} MB: put data into an image or a volume")
        if self.size > LARGEST:
            raise Damage(f"its files are larger than {LARGEST // 1024**2} MB together")
        if self.files > MOST_FILES:
            raise Damage(f"it has more than {MOST_FILES} files")


def check_path(path: str) -> None:
    """Raises Damage for a path by which a file would land outside the product's folder."""
    steps = path.split("/")
    if ".." in steps or "." in steps or "" in steps or ".git" in steps or any(sign in path for sign in "\\\0"):
        raise Damage(f"{path.replace(chr(0), '')} leads out of the product's folder")


def make_source(
    slug: str, version: str, files: Mapping[str, File], *, commit: str = "", author: str = "", message: str = ""
) -> ProductSource | DamagedSource:
    """The product's source; a damaged one when something that it needs is missing or cannot be read.

    An empty `version` stands for the content's own digest, shortened.
    """
    try:
        _check(slug, files)
        digest = digest_of(files)
        return ProductSource(
            slug=slug,
            version=version or digest[:12],
            manifest_text=_text(files, MANIFEST),
            compose_text=_text(files, COMPOSE),
            bundle=pack(files),
            digest=digest,
            commit=commit,
            author=author,
            message=message,
        )
    except Damage as damage:
        return DamagedSource(slug=slug, version=version, problem=str(damage))


def digest_of(files: Mapping[str, File]) -> str:
    """SHA-256 over every path, mode and content."""
    digest = hashlib.sha256()
    for path, file in sorted(files.items()):
        inner = hashlib.sha256(file.content).hexdigest()
        digest.update(f"{path}\0{int(file.is_executable)}\0{inner}\n".encode())
    return digest.hexdigest()


def pack(files: Mapping[str, File]) -> bytes:
    """A tar.gz without times or owners."""
    packed = BytesIO()
    # The archive's own header would hold the time of packing.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path, file in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size = len(file.content)
            member.mode = 0o755 if file.is_executable else 0o644
            archive.addfile(member, BytesIO(file.content))
    return packed.getvalue()


def unpack(bundle: bytes) -> dict[str, bytes]:
    """The content of every file in a tar.gz that `pack` made, by path."""
    with tarfile.open(fileobj=BytesIO(bundle), mode="r:gz") as archive:
        members = [(member.name, archive.extractfile(member)) for member in archive]
        return {name: content.read() for name, content in members if content is not None}


def _check(slug: str, files: Mapping[str, File]) -> None:
    if not SLUG.fullmatch(slug):
        raise Damage(f"“{slug}” cannot name a product: use small letters, digits and hyphens, at most 60")
    for path in files:
        if not is_plain_text(path) or "\n" in path:
            raise Damage(f"the name of the file “{path}” holds control characters, or is not text in UTF-8")


def _text(files: Mapping[str, File], name: str) -> str:
    if name not in files:
        raise Damage(f"it has no {name}")
    try:
        return files[name].content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Damage(f"{name} is not text in UTF-8") from error
