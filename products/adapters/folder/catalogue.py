"""A config-repo that is a folder of this machine: each product has one state, named by its digest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.errors import ConfigError
from products.adapters.bundle import Damage, File, FileBudget, make_source
from products.contracts import CatalogueChanges, DamagedSource, ProductSource

LEFT_OUT = frozenset({".git", "__pycache__", ".DS_Store"})


class FolderCatalogue:
    """Reads `products/<slug>/` below a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Sequence[ProductSource | DamagedSource]:
        """Every product as it is in the folder now."""
        try:
            folders = sorted(path for path in (self.path / "products").iterdir() if path.is_dir())
        except (OSError, ValueError) as error:  # ValueError: a path with a NUL
            raise ConfigError(f"{self.path} has no folder “products” that can be read: check CATALOGUE_URL") from error
        sources = [read_product(folder) for folder in folders if not folder.name.startswith((".", "_"))]
        if not sources:
            raise ConfigError(f"{self.path} has no products: check CATALOGUE_URL")
        return sources

    def read_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        """The products whose files are not those of the position, and the names of those that are gone."""
        sources = self.read()
        digests = {source.slug: getattr(source, "digest", "") for source in sources}
        stored: Mapping[str, str] = position.get("digests") or {}
        return CatalogueChanges(
            sources=[
                source
                for source in sources
                if not digests[source.slug] or digests[source.slug] != stored.get(source.slug)
            ],
            gone=frozenset(stored.keys() - digests.keys()),
            is_full=not stored,
            position={"digests": digests},
        )


def read_product(folder: Path, *, slug: str = "") -> ProductSource | DamagedSource:
    """The state of the product in `folder`, whose name is its slug unless another is given."""
    slug = slug or folder.name
    try:
        files = dict(_read_files(folder))
    except Damage as damage:
        return DamagedSource(slug=slug, version="", problem=str(damage))
    except OSError as error:
        where = Path(str(error.filename)).name if error.filename else folder.name
        return DamagedSource(slug=slug, version="", problem=f"{where} cannot be read: {error.strerror}")
    return make_source(slug, "", files)


def _read_files(folder: Path) -> Iterator[tuple[str, File]]:
    budget = FileBudget()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if LEFT_OUT.intersection(name.parts):
            continue
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise Damage(f"{name} is not a plain file")
        if path.is_dir():
            continue
        status = path.stat()
        budget.add(name.as_posix(), status.st_size)
        yield name.as_posix(), File(path.read_bytes(), bool(status.st_mode & 0o100))
