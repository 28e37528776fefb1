"""How the catalogue's sources become products, releases and plans."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core.errors import Refusal
from products.adapters.bundle import SLUG
from products.contracts import CatalogueChanges, DamagedSource, ProductSource
from products.models import ConfigRepo, Plan, Product, Release, ReleaseBundle
from products.source_check import check_source

logger = logging.getLogger(__name__)

Source = ProductSource | DamagedSource
TEXTS = ("name", "summary", "description", "icon")
PICTURED = (*TEXTS, "state", "present_release_id", "import_error", "config_repo_id")
PLAN_COLUMNS = ("name", "price", "setup_fee", "currency", "period", "placement", "auto_approve")


class ImportOutcome(StrEnum):
    """What an import did to one product."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductResult:
    """What an import did to one product, and why."""

    slug: str
    outcome: ImportOutcome
    releases: tuple[str, ...] = ()
    """The versions that are new."""
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        new = [_("new release %(version)s") % {"version": version} for version in self.releases]
        return "\n  ".join([f"{self.slug}: {self.outcome}", *new, *self.reasons])


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What an import did, product by product."""

    products: tuple[ProductResult, ...] = field(default_factory=tuple)

    @property
    def refused(self) -> tuple[ProductResult, ...]:
        """The products whose present state cannot be used."""
        return tuple(product for product in self.products if product.outcome is ImportOutcome.REFUSED)

    def __str__(self) -> str:
        return "\n".join(str(product) for product in self.products)


class SourceRefused(Refusal):
    """A state of a product cannot become a release; `reasons` says why."""

    code = "source_refused"

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)


def import_sources(
    sources: Iterable[Source], *, actor: AbstractBaseUser | None = None, repo: ConfigRepo | None = None
) -> ImportResult:
    """Every product of `sources` is stored or refused by itself; products that are not among them are retired."""
    return import_changes(CatalogueChanges(sources=tuple(sources)), actor=actor, repo=repo)


def import_changes(
    changes: CatalogueChanges, *, actor: AbstractBaseUser | None = None, repo: ConfigRepo | None = None
) -> ImportResult:
    """The changed products of a config-repo are stored, refused or retired; the others are left alone."""
    by_slug = groupby(sorted(changes.sources, key=attrgetter("slug")), key=attrgetter("slug"))
    results = [
        _import_safely(_Import(slug, tuple(states), actor, repo, has_current=slug not in changes.tag_only))
        for slug, states in by_slug
    ]
    on_sale = Product.objects.on_sale().from_repo(repo)
    if changes.is_full:
        gone = on_sale.exclude(slug__in=[result.slug for result in results])
    else:
        gone = on_sale.filter(slug__in=changes.gone)
    results += [_retire(product, actor) for product in gone]
    for result in results:
        if result.outcome is not ImportOutcome.UNCHANGED:
            logger.info("Catalogue: %s", result)
    return ImportResult(products=tuple(results))


@dataclass(frozen=True, slots=True)
class _Import:
    """One product of an import."""

    slug: str
    states: tuple[Source, ...]
    actor: AbstractBaseUser | None
    repo: ConfigRepo | None
    has_current: bool
    """False when the last state is an older one, too."""


def _import_safely(task: _Import) -> ProductResult:
    try:
        return _import_product(task)
    except IntegrityError:  # another import stored the same at the same moment: now it is there to be found
        return _import_product(task)


@transaction.atomic
def _import_product(task: _Import) -> ProductResult:
    """The states, oldest first, are releases; new orders get the last one, and only its problems are reported."""
    slug, states, repo = task.slug, task.states, task.repo
    product = Product.objects.select_for_update().filter(slug=slug).first()
    is_new = product is None
    product = product or Product(slug=slug, name=slug, state=Product.State.RETIRED)
    if (owner := _other_owner(product, repo)) is not None:
        message = _("This product is defined by the config-repo “%(owner)s” already; use another slug.")
        return ProductResult(slug=slug, outcome=ImportOutcome.REFUSED, reasons=(message % {"owner": owner},))
    before = _picture(product)
    product.config_repo = repo or product.config_repo
    made: list[str] = []
    for state in states[:-1] if task.has_current else states:
        with suppress(SourceRefused):
            _store(product, state, made)
    reasons: tuple[str, ...] = ()
    if task.has_current:
        try:
            _judge(product, states[-1])
            _present(product, _store(product, states[-1], made))
        except SourceRefused as refusal:
            reasons = refusal.reasons
        product.import_error = "\n".join(reasons)
    if (product.pk or SLUG.fullmatch(slug)) and (is_new or made or _picture(product) != before):
        product.save()
    outcome = _outcome(is_new, bool(reasons), bool(made) or _picture(product) != before)
    result = ProductResult(slug=slug, outcome=outcome, releases=tuple(made), reasons=reasons)
    _log(product, result, task.actor)
    return result


def _other_owner(product: Product, repo: ConfigRepo | None) -> str | None:
    """The config-repo that sells the product already; None where this one may define it."""
    is_sold = product.pk is not None and product.state == Product.State.ON_SALE
    if repo is None or not is_sold or product.config_repo_id == repo.pk:
        return None
    if product.config_repo is None:
        return None if repo.is_default else _("the site's settings")
    return str(product.config_repo)


def _outcome(is_new: bool, is_refused: bool, is_changed: bool) -> ImportOutcome:
    if is_refused:
        return ImportOutcome.REFUSED
    if is_new:
        return ImportOutcome.CREATED
    return ImportOutcome.UPDATED if is_changed else ImportOutcome.UNCHANGED


def _picture(product: Product) -> object:
    """What of a product and its plans an import may change."""
    plans = Plan.objects.filter(product_id=product.pk).order_by("slug").values_list() if product.pk else ()
    # The time of the last save is not a change.
    rows = [row[:1] + row[3:] for row in plans]
    return [getattr(product, name) for name in PICTURED], rows


def _store(product: Product, source: Source, made: list[str]) -> Release:
    """The release that `source` is; its version is added to `made` when it is new. Raises SourceRefused."""
    digest = getattr(source, "digest", "")
    if product.pk and (existing := product.releases.filter(digest=digest).first()):
        return existing
    manifest, intact = _judge(product, source)
    if product.pk and product.releases.filter(version=intact.version).exists():
        message = _("Version %(version)s was changed in the catalogue; releases never change: give it a new tag.")
        raise SourceRefused([message % {"version": intact.version}])
    if not product.pk:
        product.save()
    release = Release.objects.create(
        product=product,
        version=intact.version,
        digest=digest,
        manifest=manifest,
        compose=intact.compose_text,
        commit=intact.commit,
        author=intact.author,
        message=intact.message,
    )
    ReleaseBundle.objects.create(release=release, archive=intact.bundle)
    made.append(release.version)
    return release


def _judge(product: Product, source: Source) -> tuple[Mapping[str, Any], ProductSource]:
    """The clean manifest; raises SourceRefused with all that is wrong with the manifest and the composition."""
    if isinstance(source, DamagedSource):
        raise SourceRefused([source.problem])
    checked = check_source(source, is_trusted=product.is_trusted)
    if checked.errors:
        raise SourceRefused([str(problem) for problem in checked.errors])
    return checked.manifest, source


def _present(product: Product, release: Release) -> None:
    """The product says and offers what `release` says; a product goes on sale by itself only the first time."""
    if product.present_release_id is None:
        product.state = Product.State.ON_SALE
    product.present_release = release
    for name in TEXTS:
        setattr(product, name, release.manifest.get(name, ""))
    offered = [_offer(product, plan) for plan in release.manifest["plans"]]
    withdrawn = product.plans.exclude(pk__in=offered).exclude(state=Plan.State.RETIRED)
    if withdrawn.exists():
        withdrawn.update(state=Plan.State.RETIRED)


def _offer(product: Product, spec: Mapping[str, Any]) -> int:
    columns: dict[str, Any] = {name: spec[name] for name in PLAN_COLUMNS}
    columns |= {name: Decimal(spec[name]) for name in ("price", "setup_fee")}
    columns |= {name: spec["size"][name] for name in ("cpus", "ram_gb", "disk_gb")}
    promised = spec.get("sla", {})
    columns["sla_promise"] = Decimal(promised["promise"]) if promised else None
    columns["sla_credit"] = Decimal(promised.get("credit", "0"))
    columns["grace_minutes"] = spec.get("grace_minutes")
    columns["state"] = Plan.State.OFFERED
    existing = Plan.objects.filter(product=product, slug=spec["slug"]).first()
    if existing and all(getattr(existing, name) == value for name, value in columns.items()):
        return existing.pk
    plan, _made = Plan.objects.update_or_create(product=product, slug=spec["slug"], defaults=columns)
    return plan.pk


@transaction.atomic
def _retire(product: Product, actor: AbstractBaseUser | None) -> ProductResult:
    message = _("It is no longer in the catalogue.")
    product.state, product.import_error = Product.State.RETIRED, message
    product.save(update_fields=("state", "import_error", "updated_at"))
    result = ProductResult(slug=product.slug, outcome=ImportOutcome.RETIRED, reasons=(message,))
    _log(product, result, actor)
    return result


def _log(product: Product, result: ProductResult, actor: AbstractBaseUser | None) -> None:
    """The history of each changed product names who synced the catalogue."""
    if actor is None or product.pk is None or result.outcome is ImportOutcome.UNCHANGED:
        return
    LogEntry.objects.log_actions(actor.pk, [product], CHANGE, change_message=str(result), single_object=True)
