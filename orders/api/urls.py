"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from orders.api.fleet import FleetUpgradeView
from orders.api.views import OrderView
from orders.api.whmcs import WhmcsServiceView

router = SimpleRouter()
router.register("orders", OrderView, basename="orders")
router.register("fleet-upgrades", FleetUpgradeView, basename="fleet-upgrades")
router.register("whmcs/services", WhmcsServiceView, basename="whmcs-services")
urlpatterns = router.urls
