"""HTML to archivable PDF by WeasyPrint: https://doc.courtbouillon.org/weasyprint/stable/"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from core.errors import ConfigError, PermanentError

VARIANT = "pdf/a-3b"
DEBIAN_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

# Sharing fonts halves the time of a page; Pango's objects may not cross threads.
_thread = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file inside the PDF; `relationship` is one of ISO 32000-2, 7.11.3."""

    name: str
    content: bytes
    created: datetime
    description: str = ""
    relationship: str = "Data"


def render_pdf(
    html: str,
    *,
    base_url: str,
    identifier: bytes,
    created: datetime,
    variant: str = VARIANT,
    attachments: Sequence[Attachment] = (),
    metadata: bytes = b"",
    readable: Collection[str] = (),
) -> bytes:
    """The PDF/A-3 file of `html`; equal input gives equal bytes.

    It reads only files below `base_url`, and those whose addresses are `readable`. `metadata` is one or more
    `rdf:Description` of the XMP packet.
    """
    weasyprint = _load()
    source = weasyprint.HTML(string=html, base_url=base_url, url_fetcher=_fetcher(weasyprint, base_url, readable))
    try:
        document = source.render(font_config=_fonts(), pdf_variant=variant)
    except weasyprint.urls.FatalURLFetchingError as error:
        raise PermanentError(f"The PDF cannot be made: {error}") from error
    document.metadata.created = document.metadata.modified = created.isoformat(timespec="seconds")
    _extend_metadata(document.metadata, metadata)
    return bytes(
        document.write_pdf(
            pdf_variant=variant,
            pdf_identifier=identifier,
            attachments=[_attached(weasyprint, file) for file in attachments],
            finisher=_list_attachments_once,
        )
    )


def _extend_metadata(metadata: Any, descriptions: bytes) -> None:
    """WeasyPrint's own option would write a second `rdf:RDF`, which readers of XMP never look at."""
    generate = metadata.generate_rdf_metadata

    def generate_with_descriptions(*args: Any) -> bytes:
        generated = bytes(generate(*args))
        return generated.replace(b"</rdf:RDF>", descriptions + b"</rdf:RDF>")

    if descriptions:
        metadata.generate_rdf_metadata = generate_with_descriptions


def _attached(weasyprint: Any, file: Attachment) -> Any:
    return weasyprint.Attachment(
        string=file.content,
        name=file.name,
        description=file.description,
        created=file.created,
        modified=file.created,
        relationship=file.relationship,
    )


def _list_attachments_once(document: Any, pdf: Any) -> None:
    """WeasyPrint 70 lists each attachment twice among the associated files."""
    if "AF" in pdf.catalog:
        files = pdf.catalog["AF"]
        files[:] = list(dict.fromkeys(files))


def load_printer() -> None:
    """What draws PDFs is loaded, where it is installed: processes that are forked from this one share it."""
    with suppress(ConfigError):
        _load()


def _load() -> Any:
    # Inside a function: without Pango the import itself fails, and only whoever wants a PDF should hear of it.
    try:
        import weasyprint
    except OSError as error:
        raise ConfigError(f"PDFs need Pango's libraries: apt-get install {DEBIAN_PACKAGES}") from error
    return weasyprint


def _fonts() -> Any:
    from weasyprint.text.fonts import FontConfiguration

    if not hasattr(_thread, "fonts"):
        _thread.fonts = FontConfiguration()
    return _thread.fonts


def _fetcher(weasyprint: Any, base_url: str, readable: Collection[str]) -> Any:
    """A fetcher for files below `base_url` and single others: texts of customers never make it read anything else."""

    class FolderFetcher(weasyprint.urls.URLFetcher):  # type: ignore[misc]  # its base is only there when Pango is
        def fetch(self, url: str, headers: Any = None) -> Any:
            if url not in readable and (not url.startswith(base_url) or ".." in unquote(url)):
                raise ValueError("it is outside the folder of the page")
            return super().fetch(url, headers)

    return FolderFetcher(allowed_protocols=("file",), allow_redirects=False, fail_on_errors=True)
