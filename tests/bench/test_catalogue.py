"""Syncing a config-repo on GitLab: calls, queries and seconds for 50 and 500 products with 20 releases each.

Reading and importing are measured apart: the import asks Docker Compose about every release, which takes nearly all
of its time, so it is done for two releases of each product. The floor of reading is a bare `git clone` of the project.
"""

from __future__ import annotations

import base64
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from live.demo.gitlab.repository import Repository
from live.demo.gitlab.server import WRITE, GitLabDouble
from products.catalogue import catalogue_of
from products.models import ConfigRepo
from products.services import change_repo_secrets, import_catalogue
from tests.products.conftest import COMPOSE, MANIFEST

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
RELEASES = 20
PRODUCTS = (50, 500)
TOKEN = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a step took."""

    calls: int
    queries: int
    seconds: float

    def __str__(self) -> str:
        return f"{self.calls} calls, {self.queries} queries, {self.seconds:.2f} s"


def write_repository(root: Path, products: int, releases: int) -> None:
    """Each release is a commit of one product with a tag of its own."""
    stream = ["reset refs/heads/main\n"]
    for number in range(products):
        slug = f"p{products}-{number:03}"
        for release in range(releases):
            message = f"{slug} {release}"
            stream.append(f"commit refs/heads/main\ncommitter x <x@example.org> {1_700_000_000 + len(stream)} +0000\n")
            stream.append(f"data {len(message)}\n{message}\n")
            for name, text in (
                ("product.yaml", MANIFEST),
                ("compose.yaml", f"{COMPOSE}# {release}\n"),
                ("Dockerfile", f"FROM debian:{release}\n" + "# a line\n" * 100),
            ):
                stream.append(f"M 644 inline products/{slug}/{name}\ndata {len(text)}\n{text}\n")
            stream.append(f"\nreset refs/tags/{slug}/v1.{release}\nfrom refs/heads/main\n\n")
    git = ["git", "-C", str(root)]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(root)], check=True)
    subprocess.run([*git, "fast-import", "--quiet"], input="".join(stream).encode(), check=True)


def push_change(root: Path, products: int) -> None:
    """A commit that touches one product."""
    text = f"{COMPOSE}# pushed\n"
    stream = "commit refs/heads/main\ncommitter x <x@example.org> 1800000000 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
    stream += f"M 644 inline products/p{products}-007/compose.yaml\ndata {len(text)}\n{text}\n"
    subprocess.run(["git", "-C", str(root), "fast-import", "--quiet"], input=stream.encode(), check=True)


@contextmanager
def served(root: Path, name: str) -> Iterator[tuple[GitLabDouble, ConfigRepo]]:
    """The repository as a project on GitLab."""
    double = GitLabDouble(Repository(root), tokens={TOKEN: WRITE})
    with double.serve() as address:
        repo = ConfigRepo.objects.create(name=name, kind="gitlab", address=address, project="sdi/catalogue")
        change_repo_secrets(repo=repo, token=TOKEN)
        yield double, repo


@contextmanager
def measured(double: GitLabDouble, costs: list[Cost]) -> Iterator[None]:
    """The cost of the block is added to `costs`."""
    before, started = len(double.requests), time.perf_counter()
    with CaptureQueriesContext(connection) as queries:
        yield
    calls = len(double.requests) - before
    costs.append(Cost(calls=calls, queries=len(queries), seconds=time.perf_counter() - started))


def bare_clone(address: str, into: Path) -> float:
    """The seconds that git alone takes."""
    login = base64.b64encode(f"oauth2:{TOKEN}".encode()).decode()
    header = f"http.extraHeader=Authorization: Basic {login}"
    started = time.perf_counter()
    command = ["git", "-c", header, "clone", "-q", "--bare", f"{address}/sdi/catalogue.git", str(into)]
    subprocess.run(command, check=True, env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull})
    return time.perf_counter() - started


def test_reading_is_bounded_by_one_clone(
    tmp_path: Path, settings: Settings, socket_enabled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ALLOWED_PRIVATE_RANGES = ["127.0.0.0/8"]
    costs: list[Cost] = []
    for products in PRODUCTS:
        root = tmp_path / f"{products}.git"
        write_repository(root, products, RELEASES)
        with served(root, f"{products}") as (double, repo):
            floor = bare_clone(repo.address, tmp_path / f"{products}-clone.git")
            with measured(double, costs):
                states = sum(1 for _source in catalogue_of(repo).read_since({}).sources)
            assert states == products * (RELEASES + 1)
        with capsys.disabled():
            print(  # noqa: T201
                f"\n{products} products, {products * RELEASES} tagged releases read: {costs[-1]}; "
                f"{costs[-1].seconds / floor:.1f} times a bare clone ({floor:.2f} s)"
            )
    with capsys.disabled():
        print(f"ratio of calls {costs[1].calls / costs[0].calls:.2f}")  # noqa: T201
    # Tags come in pages of a hundred; everything else is the same few calls.
    pages = [-(-products * RELEASES // 100) for products in PRODUCTS]
    assert costs[1].calls - pages[1] == costs[0].calls - pages[0]


def test_sync_costs_what_has_changed(
    tmp_path: Path, settings: Settings, socket_enabled: None, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ALLOWED_PRIVATE_RANGES = ["127.0.0.0/8"]
    rows: dict[int, list[Cost]] = {}
    for products in PRODUCTS:
        root = tmp_path / f"{products}.git"
        write_repository(root, products, 2)
        costs = rows[products] = []
        with served(root, f"{products}") as (double, repo):
            for step in ("first", "nothing", "push"):
                if step == "push":
                    push_change(root, products)
                repo.refresh_from_db()
                with measured(double, costs):
                    result = import_catalogue(repo=repo, is_full=step == "first")
                assert len(result.products) == {"first": products, "nothing": 0, "push": 1}[step]
        with capsys.disabled():
            first, nothing, push = costs
            print(  # noqa: T201
                f"\n{products} products: first sync {first} ({first.queries / products:.0f} queries a product); "
                f"nothing new {nothing}; push that touches one product {push}"
            )
    few, many = (rows[products] for products in PRODUCTS)
    with capsys.disabled():
        for name, before, after in zip(("first", "nothing", "push"), few, many, strict=True):
            print(f"{name}: seconds {after.seconds / before.seconds:.2f}, queries {after.queries / before.queries:.2f}")  # noqa: T201
    assert many[1].queries == few[1].queries
    assert abs(many[2].queries - few[2].queries) <= 2
