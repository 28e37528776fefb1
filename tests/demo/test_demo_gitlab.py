"""The catalogue of the demonstration on the double of GitLab: cloned, pushed to, and synced by the webhook."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from core.engine.controller import work
from live.demo.gitlab.catalogue import DemoGitLab, demo_gitlab, write_repository
from live.demo.gitlab.delivery import NOTHING, deliver, pushed_refs
from products.models import CatalogueSync, Product, Release
from products.services import import_catalogue
from tests.demo.test_once import run_demo
from tests.migrated_database import begin_migrated


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[DemoGitLab]:
    with demo_gitlab(tmp_path / "gitlab") as gitlab:
        yield gitlab


def git(folder: Path, *arguments: str) -> str:
    """What git prints."""
    people = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **people, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0"}
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1", "localhost"])
@pytest.mark.django_db(transaction=True)
def test_push_to_the_double_is_synced_by_its_webhook(
    gitlab: DemoGitLab, live_server: LiveServer, tmp_path: Path
) -> None:
    import_catalogue()
    assert Release.objects.get(product__slug="sdi-lite").version == "v1.0"
    gitlab.call_on_push(live_server.url)
    git(tmp_path, "clone", "-q", gitlab.clone_url, "mine")
    manifest = tmp_path / "mine/products/sdi-lite/product.yaml"
    manifest.write_text(manifest.read_text().replace("name: SDI Lite", "name: SDI Light"))
    git(tmp_path / "mine", "commit", "-qam", "Rename the product.")
    git(tmp_path / "mine", "tag", "sdi-lite/v1.1")
    git(tmp_path / "mine", "push", "-q", "origin", "main", "sdi-lite/v1.1")
    end = time.monotonic() + 20
    while len(gitlab.double.deliveries) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert gitlab.double.deliveries == [202, 202]
    work("catalogue", list(CatalogueSync.objects.unsettled().values_list("pk", flat=True)))
    product = Product.objects.get(slug="sdi-lite")
    assert (product.name, str(product.newest_release)) == ("SDI Light", "sdi-lite v1.1")
    assert gitlab.double.statuses[-1]["state"] == "success"


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_wrong_token_may_neither_clone_nor_push(gitlab: DemoGitLab, tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, "clone", "-q", gitlab.clone_url.replace("glpat-demo", "wrong"), "mine")


def test_repository_of_an_earlier_run_stays(tmp_path: Path) -> None:
    bare = write_repository(tmp_path)
    commit = git(bare, "rev-parse", "main")
    assert write_repository(tmp_path) == bare
    assert git(bare, "rev-parse", "main", "v1.0^{commit}").split() == [commit.strip()] * 2


def test_hooks_are_called_for_what_they_want_only() -> None:
    hooks = [{"url": "http://127.0.0.1:9/", "push_events": False, "tag_push_events": False}]
    assert deliver(hooks, ("refs/heads/main", NOTHING, "1" * 40), project="a/b", default_branch="main") == []
    assert deliver(hooks, ("refs/notes/x", NOTHING, "1" * 40), project="a/b", default_branch="main") == []


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_hook_that_nobody_answers_does_no_harm() -> None:
    hooks = [{"url": "http://127.0.0.1:9/", "push_events": True}]
    assert deliver(hooks, ("refs/heads/main", NOTHING, "1" * 40), project="a/b", default_branch="main") == [0]


def test_refs_that_differ_are_what_was_pushed() -> None:
    before = {"refs/heads/main": "1", "refs/tags/old": "2", "refs/tags/v1": "3"}
    after = {"refs/heads/main": "4", "refs/tags/new": "5", "refs/tags/v1": "3"}
    assert list(pushed_refs(before, after)) == [
        ("refs/heads/main", "1", "4"),
        ("refs/tags/new", NOTHING, "5"),
        ("refs/tags/old", "2", NOTHING),
    ]


def test_demo_takes_its_catalogue_from_gitlab(tmp_path: Path) -> None:
    begin_migrated(tmp_path / "live.sqlite3")
    summary = run_demo(tmp_path, "--gitlab")
    assert summary["left_behind"] == []
    assert (tmp_path / "gitlab/catalogue.git/HEAD").exists()
