"""What is sold: products, their releases and their plans."""

from __future__ import annotations

from products.models.catalogue_sync import CatalogueReading
from products.models.plan import Plan
from products.models.product import Product
from products.models.release import Release, ReleaseBundle

__all__ = ["CatalogueReading", "Plan", "Product", "Release", "ReleaseBundle"]
