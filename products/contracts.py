"""What products says to the config-repo and to Docker Compose; nothing of git or GitLab crosses this border."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.text.plain_text import clean_fields


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
    commit: str = ""
    author: str = ""
    message: str = ""
    """Of the tag, or of the commit when the tag has none."""

    def __post_init__(self) -> None:
        clean_fields(self, commit=64, author=200, message=10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedSource:
    """A state of a product that cannot be read."""

    slug: str
    version: str
    problem: str

    def __post_init__(self) -> None:
        clean_fields(self, slug=60, problem=4_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueChanges:
    """What a config-repo holds, or what of it has changed since the last sync."""

    sources: Iterable[ProductSource | DamagedSource] = ()
    """Each product's states, oldest first, the current one last; one product after another. They can be read once."""
    gone: frozenset[str] = frozenset()
    """Products that were removed since the last sync; of use where `is_full` is False."""
    is_full: bool = True
    """True when every product is among the sources: those that are not, or only by older states, are gone."""
    position: Mapping[str, Any] = field(default_factory=dict)
    """Where the next sync begins: `head` and `tags`."""
    tag_only: frozenset[str] = frozenset()
    """Products of which only older states are among the sources: the current one did not change."""


class Catalogue(Protocol):
    """Where products are defined."""

    def read(self) -> Sequence[ProductSource | DamagedSource]:
        """Every state of every product, each product's oldest first and its current one last.

        Raises ConfigError when this is no catalogue, TransientError when it cannot be reached now.
        """

    def read_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        """What has changed since `position`; everything when it is empty or unknown. Raises as `read` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeModel:
    """What Docker Compose makes of a composition: filled in, merged and written out in full."""

    model: Mapping[str, Any]
    root: str
    """The product's folder as the model writes it."""
    unset: tuple[str, ...] = ()
    """Variables that the composition uses and nothing fills."""


class ComposeRefused(Exception):
    """Compose cannot work with the composition; the message holds its own words."""


class ComposeReader(Protocol):
    """What reads compose files as Docker Compose does."""

    def read(
        self,
        files: Mapping[str, bytes],
        environment: Mapping[str, str],
        *,
        project: str = ...,
        all_profiles: bool = False,
        is_checked: bool = True,
    ) -> ComposeModel:
        """The model of `compose.yaml` among `files`; raises ComposeRefused when Compose does."""
