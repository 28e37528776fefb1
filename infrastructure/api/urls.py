"""Routes of servers and services under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from infrastructure.api.views import ServerView, ServiceView

router = SimpleRouter()
router.register("servers", ServerView, basename="servers")
router.register("services", ServiceView, basename="services")
urlpatterns = router.urls
