"""A catalogue in a git repository."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConfigError, OutsideError, TransientError
from core.outside.address_guard import PUBLIC_ONLY, AddressBlocked, AddressGuard
from products.adapters.folder.catalogue import FolderCatalogue
from products.adapters.git.address import guarded_settings, host_of
from products.adapters.git.catalogue import GitCatalogue
from products.contracts import CatalogueChanges, DamagedSource, ProductSource
from tests.products.conftest import COMPOSE, write_product


class Repository:
    """A git repository whose commits follow each other by an hour."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hour = 0
        self.git("init", "-q", "-b", "main")

    def git(self, *message: str) -> str:
        """What git says."""
        when = f"2026-01-01T{self.hour:02}:00:00Z"
        people = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_CONFIG_GLOBAL": os.devnull}
        command = ["git", "-C", str(self.root), *message]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | people | dates
        ).stdout

    def commit(self, *tags: str) -> str:
        """Everything is committed, and tagged; the commit's name."""
        self.hour += 1
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "More")
        for tag in tags:
            self.git("tag", "-a", tag, "-m", tag)
        return self.git("rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "catalogue"
    root.mkdir()
    return Repository(root)


def versions(repository: Repository, slug: str = "maps") -> list[str]:
    """The versions of a product in the order of the reading."""
    return [source.version for source in GitCatalogue(str(repository.root)).read() if source.slug == slug]


def test_each_tag_and_the_head_are_releases(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit("v1.0", "not-a-version")
    write_product(repository.root, compose=COMPOSE + "# two\n")
    write_product(repository.root, "other")
    repository.commit("maps/v2.0")
    write_product(repository.root, compose=COMPOSE + "# three\n")
    head = repository.commit()
    assert versions(repository) == ["v1.0", "v2.0", head[:12]]
    assert versions(repository, "other") == [head[:12]]


def test_head_that_is_a_tag_carries_the_name_of_the_tag(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    write_product(repository.root, compose=COMPOSE + "# two\n")
    repository.commit("v2.0")
    write_product(repository.root)
    repository.commit()
    assert versions(repository) == ["v1.0", "v2.0", "v1.0"]


def test_git_and_folder_agree_on_the_bytes(repository: Repository) -> None:
    folder = write_product(repository.root)
    (folder / "start").write_text("#!/bin/sh\n")
    (folder / "start").chmod(0o755)
    repository.commit("v1.0")
    from_git = GitCatalogue(str(repository.root)).read()[-1]
    from_folder = FolderCatalogue(repository.root).read()[-1]
    assert isinstance(from_git, ProductSource)
    assert isinstance(from_folder, ProductSource)
    assert (from_git.digest, from_git.bundle) == (from_folder.digest, from_folder.bundle)


def test_link_in_the_repository_damages_its_product_only(repository: Repository) -> None:
    write_product(repository.root)
    (write_product(repository.root, "linked") / "passwd").symlink_to("/etc/passwd")
    repository.commit()
    found = {source.slug: source for source in GitCatalogue(str(repository.root)).read()}
    assert isinstance(found["maps"], ProductSource)
    assert isinstance(found["linked"], DamagedSource)
    assert found["linked"].problem == "passwd is not a plain file"


def test_repository_that_is_not_there_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        GitCatalogue(str(tmp_path / "nowhere.git")).read()


def test_repository_without_commits_is_a_wrong_setting(repository: Repository) -> None:
    with pytest.raises(ConfigError, match="no commits"):
        GitCatalogue(str(repository.root)).read()


def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """`git` is a program that does what `script` says."""
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        ("fatal: unable to access 'https://u:hunter2@host/c.git/': Could not resolve host: host", TransientError),
        ("fatal: unable to access 'https://host/c.git/': Failed to connect to host port 443", TransientError),
        ("fatal: unable to access 'https://host/c.git/': The requested URL returned error: 503", TransientError),
        ("fatal: unable to access 'https://host/c.git/': The requested URL returned error: 403", ConfigError),
        ("fatal: Authentication failed for 'https://u:hunter2@host/c.git/'", ConfigError),
        ("git@host: Permission denied (publickey).\nfatal: Could not read from remote repository.", ConfigError),
        ("fatal: repository 'https://host/c.git/' not found", ConfigError),
    ],
)
def test_what_git_says_decides_who_acts_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: str, kind: type[OutsideError]
) -> None:
    stand_in(tmp_path, monkeypatch, f"cat >&2 <<'END'\n{texts}\nEND\nexit 128")
    with pytest.raises(OutsideError) as caught:
        GitCatalogue("https://u:hunter2@host/c.git").read()
    assert isinstance(caught.value, kind)
    assert "hunter2" not in str(caught.value)


def test_silence_is_transient_and_leaves_no_program_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, monkeypatch, f"sleep 60 & echo $! > {tmp_path}/pid; wait")
    with pytest.raises(TransientError, match="did not answer within 1 seconds"):
        GitCatalogue("https://host/c.git", timeout=1).read()
    child = Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}/stat")
    assert not child.exists() or child.read_text().split()[2] == "Z"


def test_missing_git_is_a_wrong_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="git is not installed"):
        GitCatalogue("https://host/c.git").read()


# --- Addresses that people enter ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://git.example.org/maps.git", ("git.example.org", 443)),
        ("http://u:p@[2001:db8::7]:8080/maps.git", ("2001:db8::7", 8080)),
        ("ssh://git@git.example.org/maps.git", ("git.example.org", 22)),
        ("git://git.example.org/maps.git", ("git.example.org", 9418)),
        ("git@git.example.org:sdi/maps.git", ("git.example.org", 22)),
        ("git.example.org:maps.git", ("git.example.org", 22)),
        ("file:///srv/maps.git", ("", 0)),
        ("/srv/maps:1.git", ("", 0)),
        ("./maps.git", ("", 0)),
    ],
)
def test_host_is_what_git_would_connect_to(url: str, expected: tuple[str, int]) -> None:
    assert host_of(url) == expected


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/a.git", "ssh://git@10.0.0.1/a.git", "git@192.168.0.1:a.git", "git://[::1]/a.git"]
)
def test_private_address_is_blocked_before_git_starts(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AddressBlocked, match="is in a private network"):
        GitCatalogue(url, guard=PUBLIC_ONLY).read()


@pytest.mark.enable_socket
def test_git_is_held_to_the_addresses_that_were_judged() -> None:
    guard = AddressGuard.of_ranges(["127.0.0.0/8", "::1/128"])
    assert guarded_settings("http://127.0.0.1:8080/a.git", guard) == [
        "-c",
        "http.followRedirects=false",
        "-c",
        "http.curloptResolve=127.0.0.1:8080:127.0.0.1",
    ]
    assert guarded_settings("http://[::1]/a.git", guard)[-1] == "http.curloptResolve=::1:80:[::1]"
    assert guarded_settings("git@127.0.0.1:a.git", guard) == []


@pytest.mark.parametrize("error", [socket.gaierror("unknown"), UnicodeError("label too long")])
def test_name_that_is_not_found_is_tried_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(TransientError, match=r"nowhere\.invalid is not found"):
        guarded_settings("https://nowhere.invalid/a.git", PUBLIC_ONLY)


def test_allowed_repository_is_read_as_ever(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit()
    assert len(GitCatalogue(str(repository.root), guard=PUBLIC_ONLY).read()) == 1


def changes_since(
    repository: Repository, position: Mapping[str, Any]
) -> tuple[CatalogueChanges, list[tuple[str, str]]]:
    """What a sync would read, and the (slug, version) of each state."""
    changes = GitCatalogue(str(repository.root)).read_since(position)
    return changes, [(source.slug, source.version) for source in changes.sources]


def test_nothing_new_copies_nothing(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    position = changes_since(repository, {})[0].position
    repository.git("tag", "not-a-version")
    monkeypatch.setattr("products.adapters.git.catalogue.copy_of", lambda *_arguments: pytest.fail("it was copied"))
    changes, states = changes_since(repository, position)
    assert (states, changes.is_full, changes.position) == ([], False, position)


def test_commit_that_touches_one_product_reads_one_product(repository: Repository) -> None:
    for slug in ("maps", "more", "third"):
        write_product(repository.root, slug)
    repository.commit("v1.0")
    position = changes_since(repository, {})[0].position
    write_product(repository.root, "more", compose=COMPOSE + "# two\n")
    repository.git("rm", "-rq", "products/third")
    head = repository.commit()
    changes, states = changes_since(repository, position)
    assert states == [("more", head[:12])]
    assert (set(changes.gone), changes.is_full, changes.tag_only) == ({"third"}, False, frozenset())


def test_new_tag_adds_an_older_state_and_touches_nothing_else(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit()
    write_product(repository.root, compose=COMPOSE + "# two\n")
    repository.commit()
    position = changes_since(repository, {})[0].position
    repository.git("tag", "maps/v1.0", "HEAD~1")
    changes, states = changes_since(repository, position)
    assert states == [("maps", "v1.0")]
    assert changes.tag_only == {"maps"}


def test_rewritten_history_is_read_in_full(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit()
    position = {**changes_since(repository, {})[0].position, "head": "0" * 40, "names": ""}
    assert changes_since(repository, position)[0].is_full


def test_copy_is_gone_when_the_sources_are_read_or_dropped(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(repository.root)
    write_product(repository.root, "more")
    repository.commit()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "copies"))
    (tmp_path / "copies").mkdir()
    sources = iter(GitCatalogue(str(repository.root)).read_since({}).sources)
    next(sources)
    assert list((tmp_path / "copies").iterdir()) != []
    del sources
    assert list((tmp_path / "copies").iterdir()) == []


def test_head_without_products_retires_nothing(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    position = changes_since(repository, {})[0].position
    repository.git("rm", "-rq", "products")
    repository.commit()
    with pytest.raises(ConfigError, match="there are no products below “products”"):
        changes_since(repository, position)


def test_branch_that_is_not_there_is_a_wrong_setting(repository: Repository) -> None:
    write_product(repository.root)
    repository.commit()
    with pytest.raises(ConfigError, match="no such branch"):
        GitCatalogue(str(repository.root), branch="live").read()


def test_state_names_commit_author_and_message(repository: Repository) -> None:
    write_product(repository.root)
    commit = repository.commit("v1.0")
    source = GitCatalogue(str(repository.root)).read()[0]
    assert isinstance(source, ProductSource)
    assert (source.commit, source.author, source.message) == (commit, "x@example.org", "v1.0")


def test_tag_of_something_that_is_no_commit_is_passed_over(repository: Repository) -> None:
    folder = write_product(repository.root)
    head = repository.commit()
    blob = repository.git("hash-object", "-w", str(folder / "product.yaml")).strip()
    repository.git("tag", "v9.0", blob)
    assert versions(repository) == [head[:12]]
