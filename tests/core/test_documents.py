from __future__ import annotations

import hashlib
import logging
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from billing.documents.tasks import InvoicePdfController
from billing.models import InvoicePdf
from core.documents.controller import RenderedDocument
from core.documents.models import open_document
from core.documents.storage import StoredFile, open_file, store_file


@pytest.fixture
def path() -> str:
    return "documents/one.pdf"


def contents_of(stored: StoredFile | None) -> bytes:
    """What is served of a stored file."""
    file = open_file(stored)
    assert file is not None
    return file.read()


def test_what_is_stored_is_served_as_it_was(path: str) -> None:
    stored = store_file(path, b"issued")
    assert stored == StoredFile(path=path, sha256=hashlib.sha256(b"issued").hexdigest())
    assert contents_of(stored) == b"issued"


def test_what_a_killed_worker_left_is_replaced_at_the_same_path(path: str) -> None:
    default_storage.save(path, ContentFile(b"half wri"))
    stored = store_file(path, b"whole")
    assert stored.path == path
    assert contents_of(stored) == b"whole"


def test_a_file_that_was_changed_afterwards_is_not_served(path: str, caplog: pytest.LogCaptureFixture) -> None:
    stored = store_file(path, b"issued")
    default_storage.delete(path)
    default_storage.save(path, ContentFile(b"forged"))
    with caplog.at_level(logging.ERROR):
        assert open_file(stored) is None
    assert "documents/one.pdf is not the file that was stored" in caplog.text


@pytest.mark.parametrize("file", [None, StoredFile(path="documents/never.pdf", sha256="")])
def test_a_file_that_is_not_there_is_none(file: StoredFile | None) -> None:
    assert open_file(file) is None


def test_a_document_may_have_files_in_several_formats(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = RenderedDocument(
        path="documents/i.pdf", content=b"%PDF", others={"ubl": ("documents/i.xml", b"<Invoice/>")}
    )
    controller = InvoicePdfController()
    monkeypatch.setattr(controller, "render", lambda row: rendered)
    row = InvoicePdf()
    for name, value in controller.act(row).fields.items():
        setattr(row, name, value)
    assert contents_of(row.stored_file()) == b"%PDF"
    assert contents_of(row.stored_file("ubl")) == b"<Invoice/>"
    assert row.stored_file("cii") is None


class FakeRows:
    """A queryset that holds one row, or none."""

    def __init__(self, row: InvoicePdf | None) -> None:
        self.row = row

    def first(self) -> InvoicePdf | None:
        return self.row


def test_a_document_is_opened_by_the_rows_that_hold_it(path: str) -> None:
    stored, xml = store_file(path, b"%PDF issued"), store_file("documents/one.xml", b"<Invoice/>")
    other_files = {"ubl": {"path": xml.path, "sha256": xml.sha256}}
    rows: Any = FakeRows(InvoicePdf(path=stored.path, sha256=stored.sha256, other_files=other_files))
    files = {name: open_document(rows, name) for name in ("", "ubl", "cii")}
    contents = {name: file.read() if file else None for name, file in files.items()}
    assert contents == {"": b"%PDF issued", "ubl": b"<Invoice/>", "cii": None}


def test_a_document_that_was_never_made_is_none() -> None:
    rows: Any = FakeRows(None)
    assert open_document(rows) is None
