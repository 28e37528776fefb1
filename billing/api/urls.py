"""The addresses of this room under `/api/v1/`."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from billing.api.views import InvoiceView, PaymentView, SubscriptionView

router = SimpleRouter()
router.register("subscriptions", SubscriptionView, basename="subscriptions")
router.register("invoices", InvoiceView, basename="invoices")
router.register("payments", PaymentView, basename="payments")
urlpatterns = router.urls
