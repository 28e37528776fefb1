"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from orders.api.views import OrderView
from orders.api.whmcs import WhmcsServiceView

router = SimpleRouter()
router.register("orders", OrderView, basename="orders")
router.register("whmcs/services", WhmcsServiceView, basename="whmcs-services")
urlpatterns = router.urls
