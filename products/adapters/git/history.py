"""The products in a copy of a git repository: their states at its tags and its head, and what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError
from products.adapters.bundle import Damage, make_source
from products.adapters.git.objects import TREE, Objects, objects_in
from products.adapters.git.program import GitProgram
from products.adapters.tags import version_of
from products.contracts import CatalogueChanges, DamagedSource, ProductSource

HEAD = "refs/live/head"
FORM = "%00".join(
    ("%(objectname)", "%(*objectname)", "%(refname:lstrip=2)", "%(authorname)%(*authorname)", "%(contents)%01")
)
Source = ProductSource | DamagedSource
Trees = Mapping[str, str]
"""The tree of each product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryState:
    """A commit that names a version: of one product, or, without a slug, of every product that it holds."""

    commit: str
    version: str
    slug: str = ""
    tag: str = ""
    author: str = ""
    message: str = ""


@contextmanager
def copy_of(url: str, ref: str, git: GitProgram, settings: Iterable[str] = ()) -> Iterator[Path]:
    """A bare copy of one branch and all tags, with everything that they need; gone when the block ends."""
    with TemporaryDirectory(prefix="live-catalogue-") as folder:
        repository = Path(folder) / "catalogue.git"
        git.run("init", "--quiet", "--bare", str(repository))
        specs = (f"+{ref}:{HEAD}", "+refs/tags/*:refs/tags/*")
        with timed_call(OutsideSystem.GIT):
            git.run(*settings, "fetch", "--quiet", "--no-tags", "--", url, *specs, at=repository)
        yield repository


class History:
    """Which states of which products a copy holds; contents are read when they are wanted."""

    def __init__(self, repository: Path, root: str, objects: Objects, git: GitProgram) -> None:
        self.root = root
        self.objects = objects
        self.head = _head(repository, git)
        self.tags = list(_tags(repository, git))
        self.trees_at = lru_cache(maxsize=None)(self._trees_at)

    @property
    def position(self) -> dict[str, Any]:
        """Where the next sync begins."""
        return {"head": self.head.commit, "tags": {state.tag: state.commit for state in self.tags}}

    def changes_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        """New tags, and the products that the head changed; everything when the copy does not hold the position."""
        before = self.trees_at(str(position["head"])) if position.get("head") else {}
        after = self.trees_at(self.head.commit)
        if not after:
            raise ConfigError(f"there are no products below “{self.root}”")
        is_full = not before
        stored = {} if is_full else position.get("tags") or {}
        touched = {slug for slug in before.keys() | after.keys() if before.get(slug) != after.get(slug)}
        gone = touched - after.keys()
        states: dict[str, list[RepositoryState]] = {}
        for state in self.tags:
            if stored.get(state.tag) != state.commit:
                present = self.trees_at(state.commit)
                for slug in present.keys() & {state.slug} if state.slug else present:
                    states.setdefault(slug, []).append(state)
        for slug in gone:
            states.pop(slug, None)
        tag_only = frozenset(states.keys() - touched)
        for slug in touched - gone:
            states.setdefault(slug, []).append(self.head)
        return CatalogueChanges(
            sources=self._sources(states),
            gone=frozenset(gone),
            is_full=is_full,
            position=self.position,
            tag_only=tag_only,
        )

    def _sources(self, states: Mapping[str, Iterable[RepositoryState]]) -> Iterator[Source]:
        """Product after product: its states at the tags, the oldest first, and its current one."""
        for slug in sorted(states):
            yield from self._states_of(slug, states[slug])

    def _states_of(self, slug: str, states: Iterable[RepositoryState]) -> Iterator[Source]:
        """A state that has the files of an earlier one is that one."""
        by_tree: dict[str, Source] = {}
        for state in states:
            tree = self.trees_at(state.commit)[slug]
            if tree not in by_tree:
                by_tree[tree] = self._read(slug, tree, state)
            yield by_tree[tree]

    def _read(self, slug: str, tree: str, state: RepositoryState) -> Source:
        try:
            files = self.objects.files_of(tree)
        except Damage as damage:
            return DamagedSource(slug=slug, version=state.version, problem=str(damage))
        about = {"commit": state.commit, "author": state.author, "message": state.message}
        return make_source(slug, state.version, files, **about)

    def _trees_at(self, commit: str) -> Trees:
        tree = self.objects.tree_at(commit, self.root)
        return {
            entry.name.decode("utf-8", "replace"): entry.id
            for entry in (self.objects.entries(tree) if tree else ())
            if entry.mode == TREE and not entry.name.startswith((b".", b"_"))
        }


@contextmanager
def history_of(repository: Path, root: str, git: GitProgram) -> Iterator[History]:
    """The history in a copy, for as long as the block runs."""
    with objects_in(repository, git) as objects:
        yield History(repository, root, objects, git)


def _head(repository: Path, git: GitProgram) -> RepositoryState:
    commit, author, message = (
        git.run("log", "-1", "--format=%H%x00%an%x00%B", HEAD, "--", at=repository)
        .decode("utf-8", "replace")
        .split("\0", 2)
    )
    return RepositoryState(commit=commit, version=commit[:12], author=author[:200], message=message.strip()[:10_000])


def _tags(repository: Path, git: GitProgram) -> Iterator[RepositoryState]:
    """Every tag that names a version, the oldest first."""
    order = ("--sort=version:refname", "--sort=creatordate")
    text = git.run("for-each-ref", *order, f"--format={FORM}", "refs/tags", at=repository).decode("utf-8", "replace")
    for line in text.split("\x01"):
        if not line.strip("\n"):
            continue
        own, peeled, name, author, message = line.lstrip("\n").split("\0", 4)
        if found := version_of(name):
            slug, version = found
            yield RepositoryState(
                commit=peeled or own,
                version=version,
                slug=slug,
                tag=name,
                author=author[:200],
                message=message.strip()[:10_000],
            )
