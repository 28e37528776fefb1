"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from monitoring.api.reports import ReportView
from monitoring.api.views import IncidentView, MonitorView

router = SimpleRouter()
router.register("monitors", MonitorView, basename="monitors")
router.register("incidents", IncidentView, basename="incidents")
router.register(r"orders/(?P<reference>[A-Za-z0-9]+)/reports", ReportView, basename="reports")
urlpatterns = router.urls
