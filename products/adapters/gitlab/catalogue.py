"""A config-repo on GitLab: everything by one clone, changes by the compare API and archives of single products."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

from core.errors import ConfigError, PermanentError, TransientError
from products.adapters.bundle import Damage, File, FileBudget, check_path, make_source
from products.adapters.git.catalogue import GitCatalogue
from products.adapters.git.program import RepositoryRefused
from products.adapters.gitlab.client import Commit, GitLabClient, Tag
from products.adapters.tags import version_of
from products.contracts import CatalogueChanges, DamagedSource, ProductSource

Source = ProductSource | DamagedSource
Files = dict[str, File | Damage]
MOST_SINGLE_READS = 20
"""More products than that are read by one archive of everything."""
CLONE_SECONDS = 300
MOST_ARCHIVES = 20
"""Without a clone: GitLab allows few archives a minute."""
MOST_READINGS = 3
PUSHED_TO = timedelta(seconds=10)
"""How long to wait for somebody who pushes again and again."""


class GitLabCatalogue:
    """Reads `products/<slug>/` of a project, at its tags (`v1.2`, `<slug>/v1.2`) and the head of one branch."""

    def __init__(self, client: GitLabClient, *, branch: str = "", path: str = "") -> None:
        self.client = client
        self.branch = branch
        self.path = path
        self.root = f"{path.strip('/')}/products/".lstrip("/")

    def read(self) -> Sequence[Source]:
        """Every state of every product, oldest tag first, the head last."""
        return list(self.read_since({}).sources)

    def read_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        """What is new since `position`: new tags, and the products that the branch's new commits touch."""
        with closing(self.client):
            return self._read_since(position)

    def _read_since(self, position: Mapping[str, Any]) -> CatalogueChanges:
        branch = self.branch or self.client.default_branch()
        before = position if position.get("branch") == branch else {}
        known_tags = before.get("tags") or {}
        head, tags = self._head_and_tags(branch, known_tags)
        now = {"head": head.id, "branch": branch, "tags": {tag.name: tag.commit.id for tag, _found in tags}}
        touched = self._touched(str(before.get("head", "")), head.id)
        if touched is None:
            return self._everything(head, tags, now)
        new_tags = [(tag, found) for tag, found in tags if known_tags.get(tag.name) != tag.commit.id]
        return self._changes(head, new_tags, touched, now)

    def _head_and_tags(
        self, branch: str, known_tags: Mapping[str, str]
    ) -> tuple[Commit, list[tuple[Tag, tuple[str, str]]]]:
        """Both of one moment: a tag of a later commit than the head would be stored before the head, and is newer."""
        for _reading in range(MOST_READINGS):
            head = self.client.head(branch)
            tags = [(tag, found) for tag in self.client.tags() if (found := version_of(tag.name))]
            is_new = any(known_tags.get(tag.name) != tag.commit.id for tag, _found in tags)
            if not is_new or self.client.head(branch).id == head.id:
                return head, tags
        raise TransientError(f"{self.client.project} is being pushed to", retry_in=PUSHED_TO)

    def post_status(self, commit: str, *, is_ok: bool, description: str) -> None:
        """The commit carries the result of its import."""
        with closing(self.client):
            self.client.post_status(commit, is_ok=is_ok, description=description)

    def test_connection(self) -> str:
        """One line about the project; raises an OutsideError when the token may not read it."""
        with closing(self.client):
            branch = self.branch or self.client.default_branch()
            head = self.client.head(branch)
        return f"{self.client.project}, branch {branch} at {head.id[:12]}"

    def _touched(self, before: str, after: str) -> set[str] | None:
        """The products that the commits between touch; None when everything has to be read."""
        if not before:
            return None
        paths = self.client.changed_paths(before, after) if before != after else set()
        if paths is None:
            return None
        below = {path.removeprefix(self.root) for path in paths if path.startswith(self.root)}
        return {slug for slug in (path.partition("/")[0] for path in below) if _is_product(slug)}

    def _everything(
        self, head: Commit, tags: list[tuple[Tag, tuple[str, str]]], position: Mapping[str, Any]
    ) -> CatalogueChanges:
        """Every state by one clone; by archives where the token may read the API only and they are few."""
        url, header = self.client.repository()
        clone = GitCatalogue(
            url,
            branch=position["branch"],
            path=self.path,
            guard=self.client.guard,
            header=header,
            timeout=CLONE_SECONDS,
        )
        try:
            changes = clone.read_since({})
        except RepositoryRefused as error:
            return self._by_archives(head, tags, position, error)
        fresh = {name: changes.position[name] for name in ("head", "tags")}
        return replace(changes, position={**position, **fresh})

    def _by_archives(
        self,
        head: Commit,
        tags: list[tuple[Tag, tuple[str, str]]],
        position: Mapping[str, Any],
        refusal: RepositoryRefused,
    ) -> CatalogueChanges:
        wanted = {(tag.commit.id, slug) for tag, (slug, _version) in tags}
        if len(wanted) >= MOST_ARCHIVES:
            raise ConfigError(
                f"{self.client.project} has {len(wanted)} tagged versions, and the token may not clone it: "
                "give the token the scope read_repository (or api)"
            ) from refusal
        sources = list(self._tagged(tags))
        current = list(self._at(head, self.client.archive(head.id), version=head.id[:12]))
        if not current:
            raise ConfigError(f"{self.client.project} has no products below “{self.root}”")
        tag_only = frozenset({source.slug for source in sources} - {source.slug for source in current})
        return CatalogueChanges(sources=_by_product(*sources, *current), position=position, tag_only=tag_only)

    def _changes(
        self, head: Commit, tags: list[tuple[Tag, tuple[str, str]]], touched: set[str], position: Mapping[str, Any]
    ) -> CatalogueChanges:
        """The new tags' states, and the current state of each product that was touched."""
        older = list(self._tagged(tags))
        current: list[Source] = []
        if len(touched) > MOST_SINGLE_READS:
            everything = self._at(head, self.client.archive(head.id), version=head.id[:12])
            current = [source for source in everything if source.slug in touched]
        else:
            for slug in sorted(touched):
                current += self._product_at(head, slug, version=head.id[:12])
        present = {source.slug for source in current}
        gone = frozenset(touched - present)
        older = [source for source in older if source.slug not in gone]
        return CatalogueChanges(
            sources=_by_product(*older, *current),
            gone=gone,
            is_full=False,
            position=position,
            tag_only=frozenset({source.slug for source in older} - present),
        )

    def _tagged(self, tags: list[tuple[Tag, tuple[str, str]]]) -> Iterator[Source]:
        archives: dict[str, bytes] = {}
        for tag, (slug, version) in tags:
            commit = Commit(id=tag.commit.id, author=tag.commit.author, message=tag.commit.message)
            if slug:
                yield from self._product_at(commit, slug, version=version)
                continue
            if commit.id not in archives:
                archives = {commit.id: self.client.archive(commit.id)}
            yield from self._at(commit, archives[commit.id], version=version)

    def _product_at(self, commit: Commit, slug: str, *, version: str) -> list[Source]:
        """The product at the commit; nothing when the commit does not have it."""
        try:
            archive = self.client.archive(commit.id, f"{self.root}{slug}")
        except ConfigError:
            self.client.default_branch()  # raises when it is not the folder that is missing
            return []
        return [source for source in self._at(commit, archive, version=version) if source.slug == slug]

    def _at(self, commit: Commit, archive: bytes, *, version: str) -> Iterator[Source]:
        """Every product in an archive."""
        for slug, files in sorted(_products_in(archive, self.root).items()):
            damage = next((file for file in files.values() if isinstance(file, Damage)), None)
            if damage is not None:
                yield DamagedSource(slug=slug, version=version, problem=str(damage))
                continue
            plain = {path: file for path, file in files.items() if isinstance(file, File)}
            yield make_source(slug, version, plain, commit=commit.id, author=commit.author, message=commit.message)


def _is_product(slug: str) -> bool:
    return bool(slug) and not slug.startswith((".", "_"))


def _products_in(archive: bytes, root: str) -> dict[str, Files]:
    """The files of each product, by slug and by path within the product."""
    products: dict[str, Files] = {}
    budgets: dict[str, FileBudget] = {}
    try:
        with tarfile.open(fileobj=BytesIO(archive), mode="r:gz") as members:
            for member in members:
                # GitLab puts everything below a folder that is named after the project and the commit.
                path = member.name.partition("/")[2]
                slug, _slash, name = path.removeprefix(root).partition("/")
                if not path.startswith(root) or not name or not _is_product(slug) or member.isdir():
                    continue
                budget = budgets.setdefault(slug, FileBudget())
                products.setdefault(slug, {})[name] = _file(members, member, name, budget)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise PermanentError("GitLab sent an archive that cannot be read") from error
    return products


def _file(members: tarfile.TarFile, member: tarfile.TarInfo, name: str, budget: FileBudget) -> File | Damage:
    try:
        check_path(name)
        budget.add(name, member.size)
    except Damage as damage:
        return damage
    content = members.extractfile(member) if member.isfile() else None
    if content is None:
        return Damage(f"{name} is not a plain file")
    return File(content.read(), bool(member.mode & 0o100))


def _by_product(*sources: Source) -> list[Source]:
    """One product after another, each one's states in the order given."""
    return sorted(sources, key=lambda source: source.slug)
