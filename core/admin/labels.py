"""A state in the admin: a coloured label in lists, plain text on the page of a row."""

from __future__ import annotations

from typing import NamedTuple


class Label(NamedTuple):
    """A key, which selects the colour, and the text that is shown."""

    word: str
    shown: str

    def __str__(self) -> str:
        return self.shown
