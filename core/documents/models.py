"""The row of a stored document."""

from __future__ import annotations

from typing import TypeVar

from django.core.files.base import ContentFile
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.documents.storage import StoredFile, open_file
from core.models import Resource

D = TypeVar("D", bound="StoredDocument")


class StoredDocument(Resource):
    """The files of one document: a main one, and others that say the same in another format.

    Rows are brought to `done_version` by a `core.documents.controller.DocumentController`.
    """

    path = models.CharField(_("file"), max_length=250, blank=True)
    sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True)
    other_files = models.JSONField(_("other files"), default=dict, blank=True)
    """By format: the `path` and `sha256` of each file beside the main one."""

    class Meta(Resource.Meta):
        abstract = True

    def stored_file(self, file_format: str = "") -> StoredFile | None:
        """The main file, or the one of another format; none while it is not there yet."""
        if file_format:
            entry = self.other_files.get(file_format)
            return StoredFile(path=entry["path"], sha256=entry["sha256"]) if entry else None
        return StoredFile(path=self.path, sha256=self.sha256) if self.path else None


def open_document(rows: models.QuerySet[D], file_format: str = "") -> ContentFile[bytes] | None:
    """The file of the only row in `rows` as it was stored; none while it is being made."""
    document = rows.first()
    return open_file(document.stored_file(file_format)) if document else None
