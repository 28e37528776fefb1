"""What may be asked of this room: read the catalogue, put products on sale or take them off."""

from __future__ import annotations

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal
from products.catalogue import get_catalogue
from products.catalogue_import import ImportResult, import_sources
from products.models import CatalogueReading, Product

__all__ = [
    "ImportResult",
    "ProductNotReady",
    "import_catalogue",
    "put_on_sale",
    "request_catalogue",
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
def request_catalogue(*, actor: AbstractBaseUser | None = None) -> CatalogueReading:
    """A worker will read the catalogue; while a reading waits already, that one."""
    waiting = CatalogueReading.objects.unsettled().filter(leased_until__isnull=True).first()
    reading = waiting or CatalogueReading(asked_by=str(actor or "")[:160])
    reading.next_attempt_at = clock.now()
    reading.save()
    enqueue_rows("catalogue", [reading.pk])
    return reading


@transaction.atomic
def retire_product(*, product: Product) -> Product:
    """Nobody can order the product any more; what was ordered goes on."""
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
