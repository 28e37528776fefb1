"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from monitoring.api.views import MonitorView

router = SimpleRouter()
router.register("monitors", MonitorView, basename="monitors")
urlpatterns = router.urls
