"""Services of products: sync the catalogue, put products on sale, retire them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
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
from products.contracts import Catalogue, CatalogueChanges
from products.models import CatalogueSync, ConfigRepo, Product

logger = logging.getLogger(__name__)

__all__ = [
    "ImportResult",
    "ProductNotReady",
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


def import_catalogue(
    *, actor: AbstractBaseUser | None = None, repo: ConfigRepo | None = None, is_full: bool = True
) -> ImportResult:
    """The config-repo's products, releases and plans are what it defines; one that is refused keeps what it had.

    Without `repo` it is the one that the settings name. Idempotent; unless `is_full`, only what has changed since the
    last sync is read. Raises an OutsideError when the repository itself cannot be read; then no product has changed.
    """
    repo = repo or default_config_repo()
    row = ConfigRepo.objects.filter(pk=repo.pk)
    try:
        catalogue = catalogue_of(repo)
        changes = _read(catalogue, {} if is_full else repo.position)
    except OutsideError as error:
        row.update(last_error=str(error))
        raise
    result = import_changes(changes, actor=actor, repo=repo)
    row.update(position=dict(changes.position), synced_at=clock.now(), last_error="")
    if isinstance(catalogue, GitLabCatalogue) and result.products:
        _answer_committer(catalogue, str(changes.position.get("head", "")), result)
    return result


def _read(catalogue: Catalogue, position: Mapping[str, Any]) -> CatalogueChanges:
    """What has changed where the catalogue can tell; everything elsewhere."""
    if isinstance(catalogue, GitLabCatalogue):
        return catalogue.read_since(position)
    return CatalogueChanges(sources=catalogue.read())


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
    """A sync that a worker will run; one of the same config-repo that is waiting already is returned as it is."""
    repo = repo or default_config_repo()
    waiting = CatalogueSync.objects.unsettled().filter(leased_until__isnull=True, config_repo=repo).first()
    sync = waiting or CatalogueSync(config_repo=repo, requested_by=str(actor or source)[:160], is_full=is_full)
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
