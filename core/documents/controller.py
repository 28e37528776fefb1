"""Documents are rendered by a worker, stored once, and then handed to whoever mails them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from core.documents.models import StoredDocument
from core.documents.storage import store_file
from core.engine.controller import Controller
from core.engine.outcome import Outcome, OutcomeKind, done

D = TypeVar("D", bound=StoredDocument)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedDocument:
    """The bytes of a document: the main file at `path`, and others by format, each with a path of its own."""

    path: str
    content: bytes
    others: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


class DocumentController(Controller[D, str]):
    """Renders and stores the files of a row; equal rows give equal bytes, so a repeat after a crash changes nothing."""

    lease_time = timedelta(seconds=120)
    max_attempts = 20

    def render(self, row: D) -> RenderedDocument:
        """The files of `row`; raises OutsideError when they cannot be made."""
        raise NotImplementedError

    def mail(self, row: D, path: str) -> None:
        """The mail that brings the main file is written, inside the transaction that records it; none by default."""

    def act(self, row: D) -> Outcome[str]:
        """Every file is in storage."""
        rendered = self.render(row)
        main = store_file(rendered.path, rendered.content)
        others = {
            file_format: {"path": path, "sha256": store_file(path, content).sha256}
            for file_format, (path, content) in rendered.others.items()
        }
        return done(path=main.path, sha256=main.sha256, other_files=others, observed=main.path)

    def on_outcomes(self, outcomes: Sequence[tuple[D, Outcome[str]]]) -> None:
        """A document that was stored for the first time is mailed; a later version is there to be read."""
        for row, outcome in outcomes:
            if outcome.kind is OutcomeKind.DONE and not row.path:
                self.mail(row, str(outcome.observed))
