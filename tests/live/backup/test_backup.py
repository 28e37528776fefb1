"""A backup brings back every row and document; what is damaged or strange changes nothing."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as project
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection

from core.text.trigrams import create_text_indexes
from customers.models import Customer
from live.backup import archive, database
from live.backup.archive import FORMAT, Manifest
from live.secrets_check import write_canary
from tests.factories import CustomerFactory

IS_POSTGRESQL = "postgresql" in project.DATABASES["default"]["ENGINE"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.enable_socket,
    pytest.mark.skipif(IS_POSTGRESQL and not shutil.which("pg_dump"), reason="pg_dump is not installed"),
]

INVOICE = "invoices/2026/2026-00001.pdf"


@pytest.fixture(autouse=True)
def _documents(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "documents"
    settings.VAR_DIR = tmp_path


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A backup of one customer and one document, both of which are gone since."""
    CustomerFactory(name="Waterschap Noord")
    write_canary()
    default_storage.save(INVOICE, ContentFile(b"%PDF-the invoice"))
    file = tmp_path / "backup.tar"
    call_command("backup", str(file))
    Customer.objects.all().delete()
    default_storage.delete(INVOICE)
    return file


def stored() -> bytes:
    """The document, as it is stored now."""
    with default_storage.open(INVOICE) as file:
        content: bytes = file.read()
    return content


def test_restored_database_and_documents_are_those_of_the_backup(backup: Path, capsys: Any) -> None:
    CustomerFactory(name="Came later")
    call_command("restore", str(backup), "--replace")
    assert list(Customer.objects.values_list("name", flat=True)) == ["Waterschap Noord"]
    assert stored() == b"%PDF-the invoice"
    assert "documents included: 1." in capsys.readouterr().out


def test_document_that_is_here_is_kept_as_it_is(backup: Path) -> None:
    default_storage.save(INVOICE, ContentFile(b"%PDF-as it is here"))
    call_command("restore", str(backup), "--replace")
    assert stored() == b"%PDF-as it is here"


def test_archive_is_for_its_owner_only_and_leaves_nothing_beside_it(backup: Path, tmp_path: Path) -> None:
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "documents"]


def test_database_that_holds_something_is_replaced_only_on_request(backup: Path) -> None:
    CustomerFactory(name="Here now")
    with pytest.raises(CommandError, match="Add --replace"):
        call_command("restore", str(backup))
    assert Customer.objects.get().name == "Here now"


def handmade(folder: Path, extra: str = "", **changes: object) -> Path:
    """An archive whose manifest has `changes`, with an empty file as its database."""
    values = Manifest(
        format=FORMAT, created_at="2026-11-27", vendor=connection.vendor, migrations=[], digest=sha256(b"").hexdigest()
    )
    file = folder / "handmade.tar"
    text = json.dumps({**asdict(values), **changes}).encode()
    with tarfile.open(file, "w") as opened:
        manifest = tarfile.TarInfo("manifest.json")
        manifest.size = len(text)
        opened.addfile(manifest, io.BytesIO(text))
        for name in filter(None, ("database", extra)):
            opened.addfile(tarfile.TarInfo(name))
    return file


def refusal(file: Path) -> str:
    """Why the file is not restored; nothing has changed by that."""
    CustomerFactory(name="Here now")
    with pytest.raises(CommandError) as refused:
        call_command("restore", str(file), "--replace")
    assert Customer.objects.get().name == "Here now"
    return str(refused.value)


@pytest.mark.parametrize("content", [b"", b"not a tar", b"\0" * 2048])
def test_file_that_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "backup.tar"
    file.write_bytes(content)
    assert "not a backup of Geocat Live" in refusal(file)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "backup.tar")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "in a format that this version does not read"),
        ({"vendor": "oracle"}, "is a backup of oracle"),
        ({"digest": "0" * 64}, "is damaged"),
        ({"migrations": ["orders.9999_from_the_future"]}, "does not know orders.9999_from_the_future"),
        ({"unheard_of": 1}, "not a backup of Geocat Live"),
    ],
)
def test_backup_that_does_not_fit_is_refused_before_anything_changes(
    tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    assert message in refusal(handmade(tmp_path, **changes))


@pytest.mark.parametrize("path", ["files/../../escaped", "../escaped", "/../escaped"])
def test_path_that_leaves_the_archive_is_refused(tmp_path: Path, path: str) -> None:
    assert "could not be unpacked" in refusal(handmade(tmp_path, extra=path))
    assert not (tmp_path.parent / "escaped").exists()


def test_backup_that_fails_leaves_the_former_one(backup: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = backup.read_bytes()

    def fail(target: Path) -> None:
        raise archive.PermanentError("the disk is full")

    monkeypatch.setattr(archive, "dump_database", fail)
    with pytest.raises(CommandError, match="the disk is full"):
        call_command("backup", str(backup))
    assert backup.read_bytes() == before


def test_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no folder"):
        call_command("backup", str(tmp_path / "nowhere" / "backup.tar"))


def test_restore_says_when_the_keys_do_not_open_the_secrets(tmp_path: Path, settings: Any) -> None:
    CustomerFactory()
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    write_canary()
    call_command("backup", str(tmp_path / "backup.tar"))
    settings.SECRETS_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(CommandError, match="do not open with SECRETS_KEYS"):
        call_command("restore", str(tmp_path / "backup.tar"), "--replace")
    assert Customer.objects.count() == 1


@pytest.mark.skipif(not IS_POSTGRESQL, reason="on SQLite no program of PostgreSQL is run")
def test_missing_program_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(CommandError, match="postgresql-client"):
        call_command("backup", str(tmp_path / "backup.tar"))
    assert connection.vendor == "postgresql"


@pytest.mark.skipif(not IS_POSTGRESQL, reason="the extension is PostgreSQL's")
@pytest.mark.parametrize("has_extension", [True, False])
def test_an_extension_of_the_administrator_stays_and_its_indexes_come_back(
    backup: Path, monkeypatch: pytest.MonkeyPatch, *, has_extension: bool
) -> None:
    monkeypatch.setattr(database, "ensure_trigrams", lambda _connection: has_extension)
    call_command("restore", str(backup), "--replace")
    assert Customer.objects.get().name == "Waterschap Noord"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'")
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE indexname LIKE '%\\_trgm'")
        assert cursor.fetchone() == (6 if has_extension else 0,)
        create_text_indexes(connection, "orders_order", ("reference", "name"))
        create_text_indexes(connection, "customers_customer", ("number", "name", "email"))
        create_text_indexes(connection, "billing_invoice", ("number",))
