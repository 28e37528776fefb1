"""A config-repo that git can reach: each tag is a state of the products, and so is the head."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError
from core.outside.address_guard import AddressGuard
from products.adapters.git.address import check_git_url, guarded_settings, without_userinfo
from products.adapters.git.history import Source, copy_of, history_of
from products.adapters.git.program import GitProgram
from products.adapters.tags import version_of
from products.contracts import CatalogueChanges


class GitCatalogue:
    """Reads `products/<slug>/` of a git repository, at its tags (`v1.2`, `<slug>/v1.2`) and its head.

    A sync asks for the names of branches and tags; only when they have changed is the repository copied, once.
    """

    def __init__(
        self,
        url: str,
        *,
        branch: str = "",
        path: str = "",
        timeout: float = 120,
        guard: AddressGuard | None = None,
        header: str = "",
    ) -> None:
        self.url = url
        self.ref = f"refs/heads/{branch}" if branch else "HEAD"
        self.root = f"{path.strip('/')}/products".lstrip("/")
        self.guard = guard
        self.git = GitProgram(shown=without_userinfo(url), timeout=timeout, header=header)

    def read(self) -> Sequence[Source]:
        """Every state of every product, oldest tag first, the head last."""
        return list(self.read_since({}).sources)

    def read_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        """New tags, and the products that new commits of the branch touch."""
        check_git_url(self.url)
        settings = guarded_settings(self.url, self.guard) if self.guard else []
        stored = position if position.get("ref") == self.ref and position.get("root") == self.root else {}
        names = self._names(settings)
        if stored and stored.get("names") == names:
            return CatalogueChanges(is_full=False, position=stored)
        about = {"ref": self.ref, "root": self.root, "names": names}
        with ExitStack() as stack:
            repository = stack.enter_context(copy_of(self.url, self.ref, self.git, settings))
            history = stack.enter_context(history_of(repository, self.root, self.git))
            try:
                changes = history.changes_since(stored)
            except ConfigError as error:
                raise ConfigError(f"{self.git.shown} cannot be used: {error}; check CATALOGUE_URL") from error
            sources = _read_and_close(changes.sources, stack.pop_all())
            return replace(changes, sources=sources, position={**changes.position, **about})

    def _names(self, settings: Sequence[str]) -> str:
        """The branch and the tags that name versions, as the repository shows them now: a digest of their commits."""
        with timed_call(OutsideSystem.GIT):
            output = self.git.run(*settings, "ls-remote", "--quiet", "--", self.url)
        lines = output.decode("utf-8", "replace").splitlines()
        names = {name: commit for commit, _tab, name in (line.partition("\t") for line in lines)}
        if self.ref not in names:
            raise ConfigError(f"{self.git.shown} has no commits, or no such branch: check CATALOGUE_URL")
        wanted = [name for name in sorted(names) if name == self.ref or version_of(name.removeprefix("refs/tags/"))]
        return hashlib.sha256("\n".join(f"{name} {names[name]}" for name in wanted).encode()).hexdigest()


def _read_and_close(sources: Iterable[Source], stack: ExitStack) -> Iterator[Source]:
    """The sources; after the last one, or when nobody wants more of them, the copy is gone."""
    with stack:
        yield from sources
