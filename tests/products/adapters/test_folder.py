"""A catalogue in a folder of this machine."""

from __future__ import annotations

import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

from core.errors import ConfigError
from products.adapters.bundle import MOST_FILES
from products.adapters.folder.catalogue import FolderCatalogue
from products.contracts import DamagedSource, ProductSource
from tests.products.conftest import write_product


def read_one(root: Path) -> ProductSource:
    """The only product of a catalogue."""
    (source,) = FolderCatalogue(root).read()
    assert isinstance(source, ProductSource), source
    return source


def test_folder_gives_one_release_named_by_its_digest(tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    source = read_one(tmp_path)
    assert (source.slug, source.version) == ("maps", source.digest[:12])
    assert source.manifest_text == (folder / "product.yaml").read_text()


def test_same_files_give_the_same_bytes_elsewhere_and_later(tmp_path: Path) -> None:
    first, second = (write_product(tmp_path / name) for name in ("one", "two"))
    (second / "compose.yaml").touch()
    (first / "__pycache__").mkdir()
    (first / "__pycache__" / "left.pyc").write_bytes(b"out")
    sources = [read_one(tmp_path / name) for name in ("one", "two")]
    assert sources[0] == sources[1]


def test_mode_of_a_program_belongs_to_the_release(tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    (folder / "start").write_text("#!/bin/sh\n")
    before = read_one(tmp_path)
    (folder / "start").chmod(0o755)
    after = read_one(tmp_path)
    assert before.digest != after.digest
    with tarfile.open(fileobj=BytesIO(after.bundle)) as archive:
        assert {member.name: member.mode for member in archive} == {
            "Dockerfile": 0o644,
            "compose.yaml": 0o644,
            "product.yaml": 0o644,
            "start": 0o755,
        }


def test_damaged_product_stands_beside_the_others(tmp_path: Path) -> None:
    write_product(tmp_path)
    (write_product(tmp_path, "no-compose") / "compose.yaml").unlink()
    (write_product(tmp_path, "linked") / "passwd").symlink_to("/etc/passwd")
    (write_product(tmp_path, "latin") / "product.yaml").write_bytes("name: caf\xe9".encode("latin-1"))
    write_product(tmp_path, "Bad Name")
    problems = {
        source.slug: source.problem for source in FolderCatalogue(tmp_path).read() if isinstance(source, DamagedSource)
    }
    assert problems == {
        "Bad Name": "“Bad Name” cannot name a product: use small letters, digits and hyphens, at most 60",
        "latin": "product.yaml is not text in UTF-8",
        "linked": "passwd is not a plain file",
        "no-compose": "it has no compose.yaml",
    }


@pytest.mark.parametrize("missing", ["nowhere", "empty"])
def test_folder_without_products_is_a_wrong_setting(tmp_path: Path, missing: str) -> None:
    (tmp_path / "empty" / "products").mkdir(parents=True)
    with pytest.raises(ConfigError, match="check CATALOGUE_URL"):
        FolderCatalogue(tmp_path / missing).read()


def test_only_products_whose_files_changed_are_read_again(tmp_path: Path) -> None:
    for slug in ("maps", "more", "third"):
        write_product(tmp_path, slug)
    catalogue = FolderCatalogue(tmp_path)
    first = catalogue.read_since({})
    assert first.is_full
    assert catalogue.read_since(first.position).sources == []
    write_product(tmp_path, "more", manifest="name: More")
    shutil.rmtree(tmp_path / "products/third")
    changes = catalogue.read_since(first.position)
    assert [source.slug for source in changes.sources] == ["more"]
    assert (set(changes.gone), changes.is_full) == ({"third"}, False)


@pytest.mark.parametrize(
    ("name", "size", "problem"),
    [
        ("big.tif", 10 * 1024 * 1024, "big.tif is larger than 8 MB: put data into an image or a volume"),
        ("compose.yaml", 10 * 1024 * 1024, "compose.yaml is larger than 8 MB: put data into an image or a volume"),
    ],
)
def test_large_file_damages_its_product(tmp_path: Path, name: str, size: int, problem: str) -> None:
    (write_product(tmp_path) / name).write_bytes(b"#" * size)
    (source,) = FolderCatalogue(tmp_path).read()
    assert isinstance(source, DamagedSource)
    assert source.problem == problem


def test_too_many_files_damage_their_product(tmp_path: Path) -> None:
    folder = write_product(tmp_path)
    for number in range(MOST_FILES):
        (folder / str(number)).touch()
    (source,) = FolderCatalogue(tmp_path).read()
    assert isinstance(source, DamagedSource)
    assert source.problem == "it has more than 2000 files"
