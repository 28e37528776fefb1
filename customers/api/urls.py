"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from customers.api.views import CustomerView
from customers.api.webhooks import WebhookView

router = SimpleRouter()
router.register("customers", CustomerView, basename="customers")
router.register("webhooks", WebhookView, basename="webhooks")
urlpatterns = router.urls
