"""The portal's addresses."""

from __future__ import annotations

from django.urls import URLPattern, path

from live.portal.views import customers, invoices, making, orders, profile, steering

app_name = "portal"
urlpatterns: list[URLPattern] = [
    path("", orders.order_list, name="orders"),
    path("orders/new/", making.choose_product, name="choose_product"),
    path("orders/new/<slug:product>/", making.choose_plan, name="choose_plan"),
    path("orders/new/<slug:product>/<slug:plan>/", making.draft_order, name="draft_order"),
    path("orders/<slug:reference>/", orders.order_page, name="order"),
    path("orders/<slug:reference>/progress/", orders.order_progress, name="progress"),
    path("orders/<slug:reference>/draft/", making.edit_draft, name="edit_draft"),
    path("orders/<slug:reference>/placing/", steering.place, name="place"),
    path("orders/<slug:reference>/removal/", steering.remove, name="remove"),
    path("orders/<slug:reference>/secrets/", steering.secrets, name="secrets"),
    path("customers/", customers.customer_list, name="customers"),
    path("customers/<slug:number>/", customers.customer_page, name="customer"),
    path("invoices/<str:number>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("profile/", profile.profile, name="profile"),
]
