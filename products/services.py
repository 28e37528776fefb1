"""Services of products: sync the catalogue, put products on sale, retire them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import OutsideError, Refusal
from products.adapters.gitlab.catalogue import GitLabCatalogue
from products.catalogue import catalogue_of, default_config_repo
from products.catalogue_import import ImportResult, import_changes
from products.models import CatalogueSync, ConfigRepo, Product

logger = logging.getLogger(__name__)

__all__ = [
    "ConfigRepoNameTaken",
    "ImportResult",
    "ProductNotReady",
    "add_config_repo",
    "change_repo_secrets",
    "check_repo_connection",
    "import_catalogue",
    "put_on_sale",
    "request_catalogue_sync",
    "request_catalogue_syncs",
    "retire_product",
]


class ProductNotReady(Refusal):
    """The product cannot be sold."""

    code = "product_not_ready"


class ConfigRepoNameTaken(Refusal):
    """Another config-repo has the name."""

    code = "name_taken"


def import_catalogue(
    *,
    actor: AbstractBaseUser | None = None,
    repo: ConfigRepo | None = None,
    is_full: bool = True,
    until: datetime | None = None,
    check: Callable[[], None] = lambda: None,
) -> ImportResult:
    """The config-repo's products, releases and plans are what it defines; one that is refused keeps what it had.

    Without `repo` it is the one that the settings name. Idempotent; unless `is_full`, only what has changed since the
    last sync is read. With `until` it may end before everything is imported: called again, it goes on. Raises an
    OutsideError when the repository itself cannot be read; then no product has changed. `check` is called in each
    transaction that stores something, and raises what shall end the import before that.
    """
    repo = repo or default_config_repo()
    try:
        catalogue = catalogue_of(repo)
        changes = catalogue.read_since({} if is_full else repo.position)
    except OutsideError as error:
        _note_on(repo, check, last_error=str(error))
        raise
    result = import_changes(changes, actor=actor, repo=repo, until=until, check=check)
    if not result.is_complete:
        return result
    _note_on(repo, check, position=dict(changes.position), synced_at=clock.now(), last_error="")
    if isinstance(catalogue, GitLabCatalogue) and result.products:
        _answer_committer(catalogue, str(changes.position.get("head", "")), result)
    return result


@transaction.atomic
def _note_on(repo: ConfigRepo, check: Callable[[], None], **fields: Any) -> None:
    _lock(repo)
    check()
    ConfigRepo.objects.filter(pk=repo.pk).update(**fields)


def _lock(repo: ConfigRepo) -> None:
    """Taken before the lock of a sync; products that name the config-repo can be stored meanwhile."""
    ConfigRepo.objects.select_for_update(no_key=True).filter(pk=repo.pk).first()


def _answer_committer(catalogue: GitLabCatalogue, commit: str, result: ImportResult) -> None:
    """The commit on GitLab shows whether its products were imported; a token that may not say so is no error."""
    problems = [f"{product.slug}: {reason}" for product in result.refused for reason in product.reasons]
    description = problems[0] if problems else _("All products were imported.")
    if len(problems) > 1:
        description = _("%(count)d problems, first: %(problem)s") % {"count": len(problems), "problem": problems[0]}
    try:
        catalogue.post_status(commit, is_ok=not problems, description=description)
    except OutsideError as error:
        logger.warning("The status of commit %s was not posted: %s", commit[:12], error)


@transaction.atomic
def request_catalogue_sync(
    *, actor: AbstractBaseUser | None = None, repo: ConfigRepo | None = None, is_full: bool = True, source: str = ""
) -> CatalogueSync:
    """A sync that a worker will run.

    A config-repo has one at a time: two at once would store an older state after a newer one. What is requested while
    one waits or runs is its next run.
    """
    repo = repo or default_config_repo()
    _lock(repo)  # two requests at the same moment make one sync
    sync = CatalogueSync.objects.unsettled().select_for_update().filter(config_repo=repo).first()
    if sync is None:
        sync = CatalogueSync(config_repo=repo, requested_by=str(actor or source)[:160], is_full=is_full)
    else:
        sync.wanted_version, sync.attempts = sync.wanted_version + 1, 0
    sync.is_full = sync.is_full or is_full
    sync.next_attempt_at = clock.now()
    sync.save()
    enqueue_rows("catalogue", [sync.pk])
    return sync


def request_catalogue_syncs(
    *, actor: AbstractBaseUser | None = None, is_full: bool = True, source: str = ""
) -> list[CatalogueSync]:
    """A sync of every enabled config-repo."""
    default_config_repo()
    repos = ConfigRepo.objects.enabled()
    return [request_catalogue_sync(actor=actor, repo=repo, is_full=is_full, source=source) for repo in repos]


def add_config_repo(*, name: str, address: str) -> ConfigRepo:
    """A git repository or folder that is synced from now on; raises Refusal when the name is taken.

    Raises an OutsideError when it cannot be read. Projects on GitLab need a token: they are added in the admin.
    """
    is_folder = Path(address).is_dir() and not any(Path(address, part).exists() for part in (".git", "HEAD"))
    kind = ConfigRepo.Kind.FOLDER if is_folder else ConfigRepo.Kind.GIT
    repo = ConfigRepo(name=name, kind=kind, address=address)
    if ConfigRepo.objects.filter(name=name).exists():
        raise ConfigRepoNameTaken(_("There is a config-repo “%(name)s” already.") % {"name": name}, field="name")
    catalogue_of(repo).read()
    repo.save()
    return repo


@transaction.atomic
def change_repo_secrets(*, repo: ConfigRepo, **secrets: str) -> None:
    """The config-repo's `token` and `webhook_secret`, where given, are sealed; the others stay."""
    given = {name: value for name, value in secrets.items() if name in ConfigRepo.SECRET_NAMES and value}
    repo.credentials = {**(repo.credentials or {}), **given}
    repo.save(update_fields=("credentials", "updated_at"))


def check_repo_connection(*, repo: ConfigRepo) -> str:
    """One line about the repository is stored with it; raises nothing."""
    try:
        catalogue = catalogue_of(repo)
        if isinstance(catalogue, GitLabCatalogue):
            result = catalogue.test_connection()
        else:
            result = _("%(count)d product states can be read.") % {"count": len(catalogue.read())}
    except OutsideError as error:
        result = _("Failed: %(error)s") % {"error": error}
    ConfigRepo.objects.filter(pk=repo.pk).update(tested_at=clock.now(), test_result=result[:300])
    return result


@transaction.atomic
def retire_product(*, product: Product) -> Product:
    """The product cannot be ordered any more; existing orders keep running."""
    product.state = Product.State.RETIRED
    product.save(update_fields=("state", "updated_at"))
    return product


@transaction.atomic
def put_on_sale(*, product: Product) -> Product:
    """The product can be ordered; raises ProductNotReady when it has no release."""
    if not product.releases.exists():
        raise ProductNotReady(_("%(product)s has no release that can be ordered.") % {"product": product})
    product.state = Product.State.ON_SALE
    product.save(update_fields=("state", "updated_at"))
    return product
