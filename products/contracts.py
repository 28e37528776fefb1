"""The words in which products speaks of the config-repo; nothing of git or GitLab crosses this border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSource:
    """One state of one product, as the config-repo has it."""

    slug: str
    version: str
    manifest_text: str
    compose_text: str
    bundle: bytes = field(repr=False)
    """Every file of the product as a tar.gz, paths relative to the product's folder."""
    digest: str
    """SHA-256 of every path and content; the same files give the same digest wherever they came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedSource:
    """A state of a product that cannot be read."""

    slug: str
    version: str
    problem: str


class Catalogue(Protocol):
    """Where products are defined."""

    def read(self) -> Sequence[ProductSource | DamagedSource]:
        """Every state of every product, each product's oldest first and its present one last.

        Raises ConfigError when this is no catalogue, TransientError when it cannot be reached now.
        """
