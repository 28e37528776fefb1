"""Config-repos: several at once, synced by what has changed, started by GitLab's webhook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from core.engine.controller import work
from core.errors import ConfigError
from core.outside.address_guard import AddressBlocked
from live.demo.gitlab.repository import Repository as ServedRepository
from live.demo.gitlab.server import READ, WRITE, GitLabDouble, RequestRefused
from products.admin.config_repo import ConfigRepoForm
from products.catalogue import catalogue_of, default_config_repo
from products.catalogue_import import ImportOutcome
from products.models import CatalogueSync, ConfigRepo, Product
from products.services import (
    change_repo_secrets,
    check_repo_connection,
    import_catalogue,
    request_catalogue_sync,
    request_catalogue_syncs,
)
from tests.products.adapters.test_git import Repository
from tests.products.conftest import MANIFEST, write_product

pytestmark = [
    pytest.mark.usefixtures("remembered_compositions"),
    pytest.mark.django_db,
    pytest.mark.enable_socket,
    pytest.mark.allow_hosts(["127.0.0.1"]),
]
SECRET = "hook-secret"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "on-gitlab"
    root.mkdir()
    repository = Repository(root)
    write_product(root)
    repository.commit("v1.0")
    return repository


@pytest.fixture
def double(repository: Repository) -> GitLabDouble:
    return GitLabDouble(ServedRepository(repository.root), tokens={"writer": WRITE, "reader": READ})


@pytest.fixture
def repo(double: GitLabDouble, settings: Settings) -> Iterator[ConfigRepo]:
    settings.ALLOWED_PRIVATE_RANGES = ["127.0.0.0/8"]
    with double.serve() as address:
        row = ConfigRepo.objects.create(name="Maps", kind="gitlab", address=address, project="sdi/catalogue")
        change_repo_secrets(repo=row, token="writer", webhook_secret=SECRET)
        yield row


def sync(repo: ConfigRepo, *, is_full: bool = False) -> dict[str, ImportOutcome]:
    """What a sync does, by product."""
    repo.refresh_from_db()
    return {product.slug: product.outcome for product in import_catalogue(repo=repo, is_full=is_full).products}


def push(client: Client, repo: ConfigRepo, *, token: str = SECRET, event: str = "Push Hook", body: Any = None) -> Any:
    """GitLab's call of the webhook."""
    content = {"ref": "refs/heads/main", "project": {"default_branch": "main"}} if body is None else body
    headers = {"X-Gitlab-Event": event} | ({"X-Gitlab-Token": token} if token else {})
    url = reverse("catalogue_hooks:gitlab", args=(repo.uuid,))
    text = content if isinstance(content, (str, bytes)) else json.dumps(content)
    return client.post(url, text, content_type="application/json", headers=headers)


def test_release_names_its_commit_author_and_message(repo: ConfigRepo, repository: Repository) -> None:
    assert sync(repo) == {"maps": ImportOutcome.CREATED}
    release = Product.objects.get().releases.get()
    assert (release.version, release.author, release.message) == ("v1.0", "x@example.org", "v1.0")
    assert release.commit == repository.git("rev-parse", "HEAD").strip()


def test_sync_that_finds_nothing_new_writes_no_product(repo: ConfigRepo) -> None:
    sync(repo)
    for is_full in (False, True):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            sync(repo, is_full=is_full)
        writes = [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        assert [sql for sql in writes if "products_configrepo" not in sql] == []


def test_push_updates_one_product_and_leaves_the_others_alone(repo: ConfigRepo, repository: Repository) -> None:
    write_product(repository.root, "more")
    repository.commit()
    sync(repo)
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "New maps"))
    repository.commit()
    assert sync(repo) == {"maps": ImportOutcome.UPDATED}
    assert set(Product.objects.values_list("name", "state")) == {("New maps", "on_sale"), ("Map server", "on_sale")}


def test_product_that_vanished_is_retired_and_its_releases_stay(repo: ConfigRepo, repository: Repository) -> None:
    write_product(repository.root, "more")
    repository.commit()
    sync(repo)
    repository.git("rm", "-rq", "products/maps")
    repository.commit()
    assert sync(repo) == {"maps": ImportOutcome.RETIRED}
    product = Product.objects.get(slug="maps")
    assert (product.state, product.releases.count()) == (Product.State.RETIRED, 1)


@pytest.mark.parametrize("token", ["writer", "reader"])
def test_tagged_product_that_vanished_is_retired_by_a_full_sync_too(
    repo: ConfigRepo, repository: Repository, token: str
) -> None:
    change_repo_secrets(repo=repo, token=token)
    write_product(repository.root, "more")
    repository.commit("v1.1")
    sync(repo)
    repository.git("rm", "-rq", "products/maps")
    repository.commit()
    sync(repo, is_full=True)
    assert list(Product.objects.on_sale().values_list("slug", flat=True)) == ["more"]
    retired = Product.objects.get(slug="maps")
    assert (retired.import_error, retired.releases.count()) == ("It is no longer in the catalogue.", 1)
    sync(repo, is_full=True)
    assert Product.objects.get(slug="maps").state == Product.State.RETIRED


def test_tag_alone_adds_a_release_and_changes_nothing_else(repo: ConfigRepo, repository: Repository) -> None:
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "New maps"))
    repository.commit()
    sync(repo)
    repository.git("checkout", "-q", "HEAD~1")
    write_product(repository.root, manifest=MANIFEST.replace("Map server", "Patched maps"))
    repository.commit("maps/v1.0.1")
    repository.git("checkout", "-q", "main")
    assert sync(repo) == {"maps": ImportOutcome.UPDATED}
    product = Product.objects.get()
    assert (product.name, product.releases.count()) == ("New maps", 3)


def test_broken_manifest_keeps_the_last_release_and_answers_the_committer(
    repo: ConfigRepo, repository: Repository, double: GitLabDouble
) -> None:
    sync(repo)
    write_product(repository.root, manifest=MANIFEST.replace('"49.00"', "cheap"))
    commit = repository.commit()
    assert sync(repo) == {"maps": ImportOutcome.REFUSED}
    product = Product.objects.get()
    assert product.state == Product.State.ON_SALE
    assert str(product.newest_release).endswith("v1.0")
    assert product.import_error.startswith("product.yaml:17: plans[0].price")
    assert [(status["sha"] == commit, status["state"]) for status in double.statuses] == [
        (False, "success"),
        (True, "failed"),
    ]
    assert "maps: product.yaml:17: plans[0].price" in double.statuses[-1]["description"]


def test_token_that_may_not_set_statuses_fails_no_sync(repo: ConfigRepo, double: GitLabDouble) -> None:
    change_repo_secrets(repo=repo, token="reader")
    assert sync(repo) == {"maps": ImportOutcome.CREATED}
    assert double.statuses == []


def test_one_config_repo_retires_nothing_of_another(repo: ConfigRepo, tmp_path: Path, settings: Settings) -> None:
    write_product(tmp_path / "folder", "other")
    settings.CATALOGUE_URL = str(tmp_path / "folder")
    import_catalogue()
    sync(repo)
    import_catalogue()
    assert dict(Product.objects.values_list("slug", "state")) == {"maps": "on_sale", "other": "on_sale"}


def test_slug_of_another_config_repo_is_refused_and_nothing_changed(
    repo: ConfigRepo, tmp_path: Path, settings: Settings
) -> None:
    sync(repo)
    write_product(tmp_path / "folder", manifest=MANIFEST.replace("Map server", "Stolen"))
    settings.CATALOGUE_URL = str(tmp_path / "folder")
    (result,) = import_catalogue().products
    assert result.outcome is ImportOutcome.REFUSED
    assert "defined by the config-repo “Maps” already" in result.reasons[0]
    assert Product.objects.get().name == "Map server"


def test_settings_can_name_a_project_on_gitlab(double: GitLabDouble, settings: Settings) -> None:
    with double.serve() as address:
        settings.GITLAB_URL, settings.GITLAB_PROJECT, settings.GITLAB_TOKEN = address, "sdi/catalogue", "writer"
        assert [product.slug for product in import_catalogue().products] == ["maps"]
    repo = default_config_repo()
    assert (repo.kind, repo.address, repo.credentials) == ("gitlab", address, None)


def test_outage_is_kept_with_the_config_repo_and_changes_no_product(repo: ConfigRepo, double: GitLabDouble) -> None:
    sync(repo)
    double.refusals.append(RequestRefused(401, "401 Unauthorized"))
    with pytest.raises(ConfigError):
        sync(repo)
    repo.refresh_from_db()
    assert "refuses the token" in repo.last_error
    assert Product.objects.get().state == Product.State.ON_SALE


def test_connection_test_names_the_branch_or_the_fault(repo: ConfigRepo) -> None:
    assert "sdi/catalogue, branch main" in check_repo_connection(repo=repo)
    change_repo_secrets(repo=repo, token="wrong")
    assert "refuses the token" in check_repo_connection(repo=repo)


def test_every_enabled_config_repo_is_synced(repo: ConfigRepo) -> None:
    ConfigRepo.objects.create(name="Off", kind="folder", address="/nowhere", is_enabled=False)
    assert {str(row.config_repo) for row in request_catalogue_syncs()} == {"Maps", "Settings"}


def test_push_makes_one_sync_due_however_often_it_is_replayed(client: Client, repo: ConfigRepo) -> None:
    for _time in range(3):
        response = push(client, repo)
        assert (response.status_code, response.json()) == (202, {"detail": "Sync requested."})
    (row,) = CatalogueSync.objects.all()
    assert (row.config_repo, row.is_full, row.requested_by) == (repo, False, "GitLab: Push Hook")
    work("catalogue", [row.pk])
    assert Product.objects.get().slug == "maps"
    push(client, repo)
    work("catalogue", list(CatalogueSync.objects.unsettled().values_list("pk", flat=True)))
    assert CatalogueSync.objects.all()[0].summary == "Nothing has changed."


@pytest.mark.usefixtures("two_pushes_a_minute")
def test_storm_from_one_address_is_throttled(client: Client, repo: ConfigRepo) -> None:
    assert [push(client, repo).status_code for _ in range(3)] == [202, 202, 429]


def test_tag_push_makes_a_sync_due(client: Client, repo: ConfigRepo) -> None:
    assert push(client, repo, event="Tag Push Hook", body={"ref": "refs/tags/v2.0"}).status_code == 202
    assert CatalogueSync.objects.count() == 1


@pytest.mark.parametrize(
    ("token", "status", "detail"), [("", 401, "X-Gitlab-Token is missing"), ("wrong", 403, "secret token is wrong")]
)
def test_missing_or_wrong_token_is_refused_with_a_sentence(
    client: Client, repo: ConfigRepo, token: str, status: int, detail: str
) -> None:
    response = push(client, repo, token=token)
    assert response.status_code == status
    assert detail in response.json()["detail"]
    assert not CatalogueSync.objects.exists()


def test_config_repo_without_a_secret_accepts_no_webhook(client: Client, repo: ConfigRepo) -> None:
    ConfigRepo.objects.update(credentials={"token": "writer"})
    assert push(client, repo).status_code == 403


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("Issue Hook", {}),
        ("", {}),
        ("Push Hook", {"ref": "refs/heads/draft", "project": {"default_branch": "main"}}),
    ],
)
def test_other_events_are_ignored(client: Client, repo: ConfigRepo, event: str, body: dict[str, Any]) -> None:
    response = push(client, repo, event=event, body=body)
    assert response.status_code == 202
    assert response.json()["detail"].startswith("Ignored")
    assert not CatalogueSync.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"), [("{", 400), ("[]", 400), ('{"ref": 1}', 400), (b"\xff\xfe", 400), ("x" * 1024 * 1025, 413)]
)
def test_bad_body_is_refused(client: Client, repo: ConfigRepo, body: str | bytes, status: int) -> None:
    assert push(client, repo, body=body).status_code == status
    assert not CatalogueSync.objects.exists()


def test_unknown_or_disabled_config_repo_is_not_found(client: Client, repo: ConfigRepo) -> None:
    ConfigRepo.objects.update(is_enabled=False)
    assert push(client, repo).status_code == 404


def test_disabled_config_repo_is_not_synced(repo: ConfigRepo, double: GitLabDouble) -> None:
    row = request_catalogue_sync(repo=repo)
    ConfigRepo.objects.update(is_enabled=False)
    work("catalogue", [row.pk])
    row.refresh_from_db()
    assert row.summary == "The config-repo is disabled."
    assert double.requests == []


@pytest.mark.parametrize("address", ["ext::sh -c touch% /tmp/x", "fd::17", "--upload-pack=touch /tmp/x", "a\nb"])
def test_git_address_that_would_run_a_program_is_refused(address: str) -> None:
    repo = ConfigRepo.objects.create(name="Bad", kind="git", address=address)
    with pytest.raises(ConfigError, match="not an address of a git repository"):
        import_catalogue(repo=repo)


def test_secrets_are_sealed_and_in_no_page(admin_client: Client, repo: ConfigRepo) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM products_configrepo")
        assert SECRET not in str(cursor.fetchall())
    page = admin_client.get(reverse("admin:products_configrepo_change", args=(repo.pk,))).content.decode()
    assert SECRET not in page
    assert str(repo.uuid) in page


def test_empty_secret_keeps_the_stored_one(admin_client: Client, repo: ConfigRepo) -> None:
    form = {"name": "Maps", "kind": "gitlab", "address": repo.address, "project": "sdi/catalogue", "is_enabled": "on"}
    url = reverse("admin:products_configrepo_change", args=(repo.pk,))
    assert admin_client.post(url, {**form, "token": "new"}).status_code == 302
    repo.refresh_from_db()
    assert (repo.token, repo.webhook_secret) == ("new", SECRET)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"kind": "git", "address": "ext::sh"}, "is not an address of a git repository"),
        ({"kind": "gitlab", "address": "gitlab.com", "project": "a/b"}, "Enter the address of GitLab"),
        ({"kind": "gitlab", "address": "https://gitlab.com"}, "Enter the project"),
        ({"kind": "folder", "address": "/srv", "path": "../etc"}, "may not begin with a hyphen"),
    ],
)
def test_form_refuses_what_cannot_work(admin_client: Client, form: dict[str, str], message: str) -> None:
    page = admin_client.post(reverse("admin:products_configrepo_add"), {"name": "New", **form}).content.decode()
    assert message in page
    assert not ConfigRepo.objects.exists()


# --- Addresses in our own network -----------------------------------------------------------------------------------
def test_gitlab_in_a_private_network_is_not_asked(repo: ConfigRepo, double: GitLabDouble, settings: Settings) -> None:
    settings.ALLOWED_PRIVATE_RANGES = []
    calls = len(double.requests)
    with pytest.raises(AddressBlocked, match=r"127\.0\.0\.1 is in a private network"):
        catalogue_of(repo).read()
    assert len(double.requests) == calls


def test_git_in_a_private_network_is_not_asked() -> None:
    row = ConfigRepo(name="Inside", kind="git", address="http://127.0.0.1:9/maps.git")
    with pytest.raises(AddressBlocked, match="ALLOWED_PRIVATE_RANGES"):
        catalogue_of(row).read()


def test_the_catalogue_of_the_settings_may_be_private(settings: Settings, repository: Repository) -> None:
    double = GitLabDouble(ServedRepository(repository.root), tokens={"reader": READ})
    with double.serve() as address:
        settings.GITLAB_URL, settings.GITLAB_PROJECT, settings.GITLAB_TOKEN = address, "sdi/catalogue", "reader"
        assert [source.slug for source in catalogue_of(default_config_repo()).read()]


@pytest.mark.parametrize(
    ("kind", "address", "is_taken"),
    [
        ("gitlab", "https://10.0.0.7", False),
        ("gitlab", "http://[::ffff:169.254.169.254]/", False),
        ("git", "ssh://git@192.168.1.4:2222/maps.git", False),
        ("git", "git@172.16.0.9:maps.git", False),
        ("gitlab", "https://[not an address", True),  # the connection test says so
        ("gitlab", "https://gitlab.example.org", True),
        ("git", "git@gitlab.example.org:maps.git", True),
        ("git", "https://8.8.8.8/maps.git", True),
    ],
)
def test_private_address_is_refused_by_the_form(kind: str, address: str, is_taken: bool) -> None:
    form = ConfigRepoForm({"name": "New", "kind": kind, "address": address, "project": "a/b", "is_enabled": "on"})
    assert form.is_valid() is is_taken, form.errors
    assert is_taken or "private network" in str(form.errors["address"])


def test_command_adds_a_config_repo_and_syncs_it_by_its_name(
    repository: Repository, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("catalogue", "add", "Mine", str(repository.root))
    call_command("catalogue", "sync", "--repo", "Mine")
    assert capsys.readouterr().out.splitlines()[:3] == [
        f"Mine: Git repository, {repository.root}",
        "maps: created",
        "  new release v1.0",
    ]
    write_product(tmp_path / "plain", "other")
    call_command("catalogue", "add", "Plain", str(tmp_path / "plain"))
    assert dict(ConfigRepo.objects.values_list("name", "kind")) == {"Mine": "git", "Plain": "folder"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("add", "Taken", "."), "There is a config-repo “Taken” already."),
        (("add", "Bad", "ext::sh -c id"), "is not an address of a git repository"),
        (("add", "Empty", "/nowhere.git"), "cannot be read"),
        (("sync", "--repo", "Nobody"), "There is no config-repo “Nobody”; there are: Taken"),
    ],
)
def test_command_names_what_is_wrong_and_adds_nothing(arguments: tuple[str, ...], message: str) -> None:
    ConfigRepo.objects.create(name="Taken", kind="folder", address="/somewhere")
    with pytest.raises(CommandError) as caught:
        call_command("catalogue", *arguments)
    assert message in str(caught.value)
    assert ConfigRepo.objects.count() == 1
