"""What products says to the config-repo and to Docker Compose; nothing of git or GitLab crosses this border."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


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
