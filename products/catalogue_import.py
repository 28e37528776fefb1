"""How the catalogue's sources become products, releases and plans."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import groupby
from operator import attrgetter

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from products.adapters.bundle import SLUG
from products.contracts import CatalogueChanges, DamagedSource, ProductSource
from products.models import ConfigRepo, Plan, Product, Release, ReleaseBundle, ReleasePictures
from products.offering import TEXTS, present_release
from products.source_check import CheckedSource, check_source

logger = logging.getLogger(__name__)

Source = ProductSource | DamagedSource
PICTURED = (*TEXTS, "state", "present_release_id", "import_error", "config_repo_id")


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
    is_complete: bool = True
    """False when the time was up: the next import goes on, and finds what is stored."""

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


def import_changes(
    changes: CatalogueChanges,
    *,
    actor: AbstractBaseUser | None = None,
    repo: ConfigRepo | None = None,
    until: datetime | None = None,
    check: Callable[[], None] = lambda: None,
) -> ImportResult:
    """The changed products of a config-repo are stored, refused or retired; the others are left alone.

    After `until` no further product is begun, and none is retired. `check` is called in each transaction, and raises
    what shall end the import.
    """
    results: list[ProductResult] = []
    for slug, states in groupby(changes.sources, key=attrgetter("slug")):
        if until is not None and clock.now() >= until:
            return ImportResult(products=tuple(results), is_complete=False)
        has_current = slug not in changes.tag_only
        results.append(_import_safely(_Import(slug, tuple(states), actor, repo, check, has_current=has_current)))
    on_sale = Product.objects.on_sale().from_repo(repo)
    if changes.is_full:
        gone = on_sale.exclude(slug__in=[result.slug for result in results if result.slug not in changes.tag_only])
    else:
        gone = on_sale.filter(slug__in=changes.gone)
    results += [_retire(product, actor, check) for product in gone]
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
    check: Callable[[], None]
    has_current: bool
    """False when the last state is an older one, too."""


def _import_safely(task: _Import) -> ProductResult:
    try:
        return _import_product(task)
    except IntegrityError:  # another import stored the same at the same moment: now it is there to be found
        return _import_product(task)


def _import_product(task: _Import) -> ProductResult:
    """The states, oldest first, are releases; new orders get the last one, and only its problems are reported.

    What is new is checked before the transaction: Docker Compose is asked, and nobody waits for a lock meanwhile.
    """
    product = Product.objects.filter(slug=task.slug).first() or Product(slug=task.slug)
    checks = _check_states(task, product)
    with transaction.atomic():
        task.check()
        locked = Product.objects.select_for_update().filter(slug=task.slug).first()
        if locked is not None and locked.is_trusted != product.is_trusted:
            checks = _check_states(task, locked)
        return _store_product(task, locked, checks)


def _check_states(task: _Import, product: Product) -> dict[int, CheckedSource]:
    """The result of the check of each state that is new, and of the current one, by its number."""
    if _other_owner(product, task.repo) is not None:
        return {}
    stored = set(product.releases.values_list("digest", flat=True)) if product.pk else set()
    last = len(task.states) - 1 if task.has_current else None
    checks: dict[int, CheckedSource] = {}
    by_digest: dict[str, CheckedSource] = {}
    for number, state in enumerate(task.states):
        digest = getattr(state, "digest", "")
        if number == last or digest not in stored:
            checks[number] = by_digest.get(digest) or check_source(state, is_trusted=product.is_trusted)
            by_digest |= {digest: checks[number]} if digest else {}
    return checks


def _store_product(task: _Import, product: Product | None, checks: Mapping[int, CheckedSource]) -> ProductResult:
    slug, repo = task.slug, task.repo
    is_new = product is None
    product = product or Product(slug=slug, name=slug, state=Product.State.RETIRED)
    if (owner := _other_owner(product, repo)) is not None:
        message = _("This product is defined by the config-repo “%(owner)s” already; use another slug.")
        return ProductResult(slug=slug, outcome=ImportOutcome.REFUSED, reasons=(message % {"owner": owner},))
    before = _picture(product)
    product.config_repo = repo or product.config_repo
    stock = _Stock(product)
    last = len(task.states) - 1 if task.has_current else None
    reasons: tuple[str, ...] = ()
    for number, state in enumerate(task.states):
        try:
            pk = stock.store(state, checks.get(number))
            if number == last:
                present_release(product, Release.objects.get(pk=pk))
        except SourceRefused as refusal:
            reasons = refusal.reasons if number == last else reasons
    if task.has_current:
        product.import_error = "\n".join(reasons)
    if (product.pk or SLUG.fullmatch(slug)) and (is_new or stock.made or _picture(product) != before):
        product.save()
    outcome = _outcome(is_new, bool(reasons), bool(stock.made) or _picture(product) != before)
    result = ProductResult(slug=slug, outcome=outcome, releases=tuple(stock.made), reasons=reasons)
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


class _Stock:
    """The releases of a product: those that are stored, and those that this import adds."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.made: list[str] = []
        rows = product.releases.values_list("digest", "pk", "version", "pictures") if product.pk else ()
        self._by_digest = {digest: pk for digest, pk, _version, _pictures in rows}
        self._versions = {version for _digest, _pk, version, _pictures in rows}
        self._pictured = {pk for _digest, pk, _version, pictures in rows if pictures is not None}

    def store(self, source: Source, checked: CheckedSource | None) -> int:
        """The key of the release that `source` is; raises SourceRefused when it cannot be one."""
        if checked is not None and checked.errors:
            raise SourceRefused([str(problem) for problem in checked.errors])
        pk = self._by_digest.get(getattr(source, "digest", "")) or self._create(source, checked)
        if checked is not None and pk not in self._pictured:
            icon = checked.icon
            ReleasePictures.objects.create(
                release_id=pk,
                icon=icon.content if icon else b"",
                icon_type=icon.media_type if icon else "",
                outline=checked.outline,
            )
            self._pictured.add(pk)
        return pk

    def _create(self, source: Source, checked: CheckedSource | None) -> int:
        if isinstance(source, DamagedSource) or checked is None:  # a release that was stored is gone
            raise SourceRefused([_("The release was deleted during the import; sync again.")])
        if source.version in self._versions:
            message = _("Version %(version)s was changed in the catalogue; releases never change: give it a new tag.")
            raise SourceRefused([message % {"version": source.version}])
        if not self.product.pk:
            self.product.save()
        release = Release.objects.create(
            product=self.product,
            version=source.version,
            digest=source.digest,
            manifest=checked.manifest,
            compose=source.compose_text,
            commit=source.commit,
            author=source.author,
            message=source.message,
        )
        ReleaseBundle.objects.create(release=release, archive=source.bundle)
        self._by_digest[source.digest] = release.pk
        self._versions.add(source.version)
        self.made.append(source.version)
        return release.pk


@transaction.atomic
def _retire(product: Product, actor: AbstractBaseUser | None, check: Callable[[], None]) -> ProductResult:
    check()
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
