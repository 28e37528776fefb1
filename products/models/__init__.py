"""What is sold: products, their releases and their plans."""

from __future__ import annotations

from products.models.catalogue_sync import CatalogueSync
from products.models.config_repo import ConfigRepo
from products.models.plan import Plan
from products.models.product import Product
from products.models.release import Release, ReleaseBundle, ReleasePictures

__all__ = ["CatalogueSync", "ConfigRepo", "Plan", "Product", "Release", "ReleaseBundle", "ReleasePictures"]
