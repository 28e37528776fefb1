"""A catalogue on GitLab, against the double that serves a real git repository over HTTP."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from live.demo.gitlab.repository import Repository as ServedRepository
from live.demo.gitlab.server import READ, WRITE, GitLabDouble, RequestRefused
from products.adapters.git.catalogue import GitCatalogue
from products.adapters.gitlab.catalogue import MOST_ARCHIVES, GitLabCatalogue
from products.adapters.gitlab.client import GitLabClient, Tag
from products.contracts import DamagedSource, ProductSource
from tests.products.adapters.test_git import Repository
from tests.products.conftest import MANIFEST, write_product

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]
TOKEN = "glpat-secret-token"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "catalogue"
    root.mkdir()
    return Repository(root)


@pytest.fixture
def double(repository: Repository) -> GitLabDouble:
    return GitLabDouble(ServedRepository(repository.root), tokens={TOKEN: WRITE, "glpat-reader": READ})


@pytest.fixture
def address(double: GitLabDouble) -> Iterator[str]:
    with double.serve() as address:
        yield address


def catalogue_at(
    address: str, *, token: str = TOKEN, project: str = "sdi/catalogue", path: str = ""
) -> GitLabCatalogue:
    return GitLabCatalogue(GitLabClient(url=address, project=project, token=token, timeout=10), path=path)


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        # One second, in the sequence of the answer: by their numbers.
        ({"v10.0": "2026-11-28T10:00:00Z", "v9.0": "2026-11-28T10:00:00Z"}, ["v9.0", "v10.0"]),
        ({"v39.1": "2026-11-28T10:00:00.000+01:00", "v38.0": "2026-11-28T10:00:00.000+01:00"}, ["v38.0", "v39.1"]),
        # Each in its author's own zone: v1.1 is an hour younger.
        ({"v1.1": "2026-11-28T09:00:00-05:00", "v1.0": "2026-11-28T14:00:00+01:00"}, ["v1.0", "v1.1"]),
        # Not said, and nonsense: older than what is known.
        ({"v2.0": "2026-11-28T10:00:00Z", "v3.0": "", "v4²": "yesterday"}, ["v3.0", "v4²", "v2.0"]),
    ],
)
def test_tags_are_read_the_oldest_first(moments: dict[str, str], expected: list[str]) -> None:
    answer = [
        SimpleNamespace(name=name, commit={"id": name, "created_at": at}, attributes={}) for name, at in moments.items()
    ]
    client = GitLabClient(url="https://gitlab.example", project="sdi/catalogue", token=TOKEN)
    client.__dict__["_project"] = SimpleNamespace(tags=SimpleNamespace(list=lambda **_options: answer))
    assert [tag.name for tag in client.tags()] == expected


def archives(double: GitLabDouble) -> int:
    """How many archives were read."""
    return sum("/repository/archive" in request for request in double.requests)


def test_gitlab_and_git_agree_on_every_state(repository: Repository, address: str) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    (write_product(repository.root, "more") / "start").write_text("#!/bin/sh\n")
    (repository.root / "products/more/start").chmod(0o755)
    repository.commit("more/v2.0", "not-a-version")
    repository.commit()
    from_gitlab = [(each.slug, getattr(each, "digest", "")) for each in catalogue_at(address).read()]
    from_git = [(each.slug, getattr(each, "digest", "")) for each in GitCatalogue(str(repository.root)).read()]
    assert from_gitlab == from_git


def test_source_names_commit_author_and_message(repository: Repository, address: str) -> None:
    write_product(repository.root)
    first = repository.commit("v1.0")
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "New maps"))
    second = repository.commit()
    for token in (TOKEN, "glpat-reader"):
        tagged, current = catalogue_at(address, token=token).read()
        assert isinstance(tagged, ProductSource)
        assert isinstance(current, ProductSource)
        assert (tagged.commit, tagged.author, tagged.message) == (first, "x@example.org", "v1.0")
        assert (current.commit, current.author, current.message) == (second, "x@example.org", "More")


def test_push_that_touches_one_product_reads_one_product(
    repository: Repository, address: str, double: GitLabDouble
) -> None:
    for slug in ("maps", "more", "third"):
        write_product(repository.root, slug)
    repository.commit("v1.0")
    position = catalogue_at(address).read_since({}).position
    write_product(repository.root, "more", manifest=MANIFEST.replace("Map server", "More maps"))
    repository.commit()
    double.requests.clear()
    changes = catalogue_at(address).read_since(position)
    assert [source.slug for source in changes.sources] == ["more"]
    assert not changes.is_full
    assert archives(double) == 1
    assert "path=products%2Fmore" in double.requests[-1]


def test_tag_is_never_read_before_the_commit_that_it_names(
    repository: Repository, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(repository.root)
    repository.commit()
    position = catalogue_at(address).read_since({}).position
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "Second"))
    second = repository.commit()
    tags = GitLabClient.tags

    def push_before(client: GitLabClient) -> list[Tag]:
        monkeypatch.setattr(GitLabClient, "tags", tags)
        write_product(repository.root, manifest=MANIFEST.replace("Map server", "Third"))
        repository.commit("v3.0")
        return tags(client)

    monkeypatch.setattr(GitLabClient, "tags", push_before)
    changes = catalogue_at(address).read_since(position)
    assert [getattr(source, "commit", "") for source in changes.sources] == [changes.position["head"]] * 2
    assert changes.position["head"] != second


def test_project_that_is_pushed_to_all_the_time_is_read_later(
    repository: Repository, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    tags = GitLabClient.tags

    def push_always(client: GitLabClient) -> list[Tag]:
        repository.commit()
        return tags(client)

    monkeypatch.setattr(GitLabClient, "tags", push_always)
    with pytest.raises(TransientError, match="is being pushed to"):
        catalogue_at(address).read_since({})


def test_everything_is_read_by_one_clone_however_many_tags(
    repository: Repository, address: str, double: GitLabDouble
) -> None:
    counts = []
    for tags in (("v1.0",), tuple(f"maps/v{number}.0" for number in range(2, 40))):
        for tag in tags:
            write_product(repository.root, manifest=MANIFEST.replace("Map server", f"Maps {tag}"))
            repository.commit(tag)
        double.requests.clear()
        sources = catalogue_at(address).read()
        counts.append(len(double.requests))
    assert len(sources) == 40
    assert counts[0] == counts[1]
    assert archives(double) == 0


def test_token_that_may_not_clone_reads_few_tags_by_archives(
    repository: Repository, address: str, double: GitLabDouble
) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "New maps"))
    repository.commit("maps/v2.0")
    by_archives = catalogue_at(address, token="glpat-reader").read_since({})
    assert archives(double) == 3
    by_clone = catalogue_at(address).read_since({})
    assert by_archives.position == by_clone.position
    read = [[getattr(source, "digest", "") for source in changes.sources] for changes in (by_archives, by_clone)]
    assert read[0] == read[1] != []


def test_token_that_may_not_clone_is_not_enough_for_many_tags(
    repository: Repository, address: str, double: GitLabDouble
) -> None:
    write_product(repository.root)
    for number in range(MOST_ARCHIVES):
        repository.commit(f"v{number}.0")
    with pytest.raises(ConfigError, match="give the token the scope read_repository"):
        catalogue_at(address, token="glpat-reader").read()
    assert archives(double) == 0


def test_token_is_in_no_command_line(repository: Repository, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_product(repository.root)
    repository.commit()
    commands: list[str] = []
    start = subprocess.Popen

    def record(command: list[str], *arguments: Any, **options: Any) -> Any:
        commands.append(" ".join(map(str, command)))
        return start(command, *arguments, **options)

    monkeypatch.setattr("products.adapters.git.program.subprocess.Popen", record)
    assert catalogue_at(address).read()
    login = base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
    assert any("fetch" in command for command in commands)
    assert not any(TOKEN in command or login in command for command in commands)


def test_nothing_new_reads_no_archive(repository: Repository, address: str, double: GitLabDouble) -> None:
    write_product(repository.root)
    repository.commit("v1.0")
    position = catalogue_at(address).read_since({}).position
    double.requests.clear()
    changes = catalogue_at(address).read_since(position)
    assert (list(changes.sources), changes.gone, changes.is_full) == ([], frozenset(), False)
    assert archives(double) == 0
    assert len(double.requests) == 3


def test_new_tag_of_an_older_state_does_not_change_what_is_current(
    repository: Repository, address: str, double: GitLabDouble
) -> None:
    write_product(repository.root)
    repository.commit()
    position = catalogue_at(address).read_since({}).position
    repository.git("tag", "-a", "maps/v1.0", "-m", "First")
    changes = catalogue_at(address).read_since(position)
    assert [(source.slug, source.version) for source in changes.sources] == [("maps", "v1.0")]
    assert changes.tag_only == {"maps"}


def test_product_that_was_removed_is_gone(repository: Repository, address: str) -> None:
    write_product(repository.root)
    write_product(repository.root, "more")
    repository.commit()
    position = catalogue_at(address).read_since({}).position
    repository.git("rm", "-rq", "products/more")
    repository.commit()
    changes = catalogue_at(address).read_since(position)
    assert list(changes.sources) == []
    assert set(changes.gone) == {"more"}


def test_rewritten_history_is_read_in_full(repository: Repository, address: str) -> None:
    write_product(repository.root)
    repository.commit()
    changes = catalogue_at(address).read_since({"head": "0" * 40, "branch": "main", "tags": {}})
    assert changes.is_full
    assert [source.slug for source in changes.sources] == ["maps"]


def test_more_than_one_page_of_tags_is_read(repository: Repository, address: str, double: GitLabDouble) -> None:
    write_product(repository.root)
    repository.commit(*(f"maps/v{number}.0" for number in range(1, 103)))
    client = catalogue_at(address).client
    assert len(client.tags()) == 102
    client.close()
    assert sum("/repository/tags" in request for request in double.requests) == 2


def test_link_damages_its_product_only(repository: Repository, address: str) -> None:
    write_product(repository.root)
    (write_product(repository.root, "linked") / "passwd").symlink_to("/etc/passwd")
    repository.commit()
    found = {source.slug: source for source in catalogue_at(address).read()}
    assert isinstance(found["maps"], ProductSource)
    assert isinstance(found["linked"], DamagedSource)
    assert found["linked"].problem == "passwd is not a plain file"


def test_catalogue_can_be_in_a_folder_of_the_project(repository: Repository, address: str) -> None:
    write_product(repository.root / "live")
    write_product(repository.root, "elsewhere")
    repository.commit()
    assert [source.slug for source in catalogue_at(address, path="live").read()] == ["maps"]


def test_commit_shows_the_result(repository: Repository, address: str, double: GitLabDouble) -> None:
    write_product(repository.root)
    commit = repository.commit()
    catalogue_at(address).post_status(commit, is_ok=False, description="x" * 400)
    (status,) = double.statuses
    assert (status["sha"], status["state"], len(status["description"])) == (commit, "failed", 255)


@pytest.mark.parametrize(
    ("refused", "kind", "message"),
    [
        (RequestRefused(401, "401 Unauthorized"), ConfigError, "refuses the token"),
        (RequestRefused(403, "403 Forbidden"), ConfigError, "needs the scope read_api"),
        (RequestRefused(404, "404 Project Not Found"), ConfigError, "no project “sdi/catalogue”"),
        (RequestRefused(429, "Too many", Retry_After="7"), TransientError, "fewer calls"),
        (RequestRefused(500, "broken"), TransientError, "failed with status 500"),
        (RequestRefused(503, "maintenance"), TransientError, "failed with status 503"),
        (RequestRefused(418, "teapot"), PermanentError, "status 418"),
    ],
)
def test_what_gitlab_answers_decides_who_acts_next(
    double: GitLabDouble, address: str, refused: RequestRefused, kind: type[OutsideError], message: str
) -> None:
    double.refusals.append(refused)
    with pytest.raises(kind, match=message) as caught:
        catalogue_at(address).read()
    assert TOKEN not in str(caught.value)


def test_wish_for_fewer_calls_is_honoured_without_sleeping(double: GitLabDouble, address: str) -> None:
    double.refusals.append(RequestRefused(429, "Too many", Retry_After="7"))
    with pytest.raises(TransientError) as caught:
        catalogue_at(address).read()
    assert caught.value.retry_in == timedelta(seconds=7)
    assert len(double.requests) == 1


@pytest.mark.parametrize(
    ("token", "project", "message"),
    [("wrong", "sdi/catalogue", "refuses the token"), (TOKEN, "sdi/other", "no project “sdi/other”")],
)
def test_wrong_settings_are_named(address: str, token: str, project: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        catalogue_at(address, token=token, project=project).test_connection()


def test_token_that_may_only_read_cannot_set_a_status(repository: Repository, address: str) -> None:
    write_product(repository.root)
    commit = repository.commit()
    reader = catalogue_at(address, token="glpat-reader")
    assert reader.test_connection() == f"sdi/catalogue, branch main at {commit[:12]}"
    with pytest.raises(ConfigError):
        reader.post_status(commit, is_ok=True, description="")


def test_project_without_commits_is_a_wrong_setting(address: str) -> None:
    with pytest.raises(ConfigError, match="has no commits"):
        catalogue_at(address).read()


def test_address_where_nothing_listens_may_answer_later() -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        catalogue_at("http://127.0.0.1:9").read()


def test_token_is_in_no_repr(address: str) -> None:
    assert TOKEN not in repr(GitLabClient(url=address, project="a/b", token=TOKEN))
