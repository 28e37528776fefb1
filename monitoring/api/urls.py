"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from monitoring.api.views import IncidentView, MonitorView

router = SimpleRouter()
router.register("monitors", MonitorView, basename="monitors")
router.register("incidents", IncidentView, basename="incidents")
urlpatterns = router.urls
