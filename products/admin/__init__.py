"""How staff see what is sold."""

from __future__ import annotations

from products.admin.catalogue_sync import CatalogueReadingAdmin
from products.admin.plan import PlanAdmin
from products.admin.product import ProductAdmin
from products.admin.release import ReleaseAdmin

__all__ = ["CatalogueReadingAdmin", "PlanAdmin", "ProductAdmin", "ReleaseAdmin"]
