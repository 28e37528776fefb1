"""A state in the admin: a coloured label in lists, its words alone on the page of a row."""

from __future__ import annotations

from typing import NamedTuple


class Label(NamedTuple):
    """A word for machines, which chooses the colour, and words for people; the admin's pages show the latter."""

    word: str
    shown: str

    def __str__(self) -> str:
        return self.shown
