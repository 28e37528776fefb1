"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from products.api.views import PlanView, ProductView, ReleaseView

router = SimpleRouter()
router.register("products", ProductView, basename="products")
router.register("releases", ReleaseView, basename="releases")
router.register("plans", PlanView, basename="plans")
urlpatterns = router.urls
