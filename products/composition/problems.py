"""What is wrong with a product's files, and where. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Something that the author of a product has to mend, or, for a warning, may want to."""

    file: str
    message: str
    """A sentence."""
    place: str = ""
    """The path in the file, such as `services.web.volumes[0]`."""
    line: int | None = None
    is_warning: bool = False

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (where, self.place, self.message) if part)
