"""How staff see what is sold."""

from __future__ import annotations

from products.admin.catalogue_sync import CatalogueSyncAdmin
from products.admin.config_repo import ConfigRepoAdmin
from products.admin.plan import PlanAdmin
from products.admin.product import ProductAdmin
from products.admin.release import ReleaseAdmin

__all__ = ["CatalogueSyncAdmin", "ConfigRepoAdmin", "PlanAdmin", "ProductAdmin", "ReleaseAdmin"]
