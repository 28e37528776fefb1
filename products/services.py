"""Services of products: sync the catalogue, put products on sale, retire them."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal
from products.catalogue import get_catalogue
from products.catalogue_import import ImportResult, import_sources
from products.models import CatalogueSync, Product

__all__ = [
    "ImportResult",
    "ProductNotReady",
    "import_catalogue",
    "put_on_sale",
    "request_catalogue_sync",
    "retire_product",
]


class ProductNotReady(Refusal):
    """The product cannot be sold."""

    code = "product_not_ready"


def import_catalogue(*, actor: AbstractBaseUser | None = None) -> ImportResult:
    """Products, releases and plans are what the catalogue says; one that is refused keeps what it had.

    Idempotent. Raises an OutsideError when the catalogue itself cannot be read; then nothing has changed.
    """
    return import_sources(get_catalogue().read(), actor=actor)


@transaction.atomic
def request_catalogue_sync(*, actor: AbstractBaseUser | None = None) -> CatalogueSync:
    """A sync that a worker will run; one that is waiting already is returned as it is."""
    waiting = CatalogueSync.objects.unsettled().filter(leased_until__isnull=True).first()
    sync = waiting or CatalogueSync(requested_by=str(actor or "")[:160])
    sync.next_attempt_at = clock.now()
    sync.save()
    enqueue_rows("catalogue", [sync.pk])
    return sync


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
