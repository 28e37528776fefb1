"""The portal's addresses."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from live.portal.converters import MonthConverter
from live.portal.views import availability, customers, invoices, making, orders, profile, reports, steering

register_converter(MonthConverter, "month")

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
    path("orders/<slug:reference>/reports/", reports.report_list, name="reports"),
    path("orders/<slug:reference>/reports/<month:month>/", reports.report_page, name="report"),
    path("orders/<slug:reference>/reports/<month:month>/pdf/", reports.report_file, name="report_pdf"),
    path("customers/", customers.customer_list, name="customers"),
    path("customers/<slug:number>/", customers.customer_page, name="customer"),
    path("customers/<slug:number>/availability/", availability.availability, name="availability"),
    path("customers/<slug:number>/availability/link/", availability.share, name="share"),
    path("invoices/<str:number>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("profile/", profile.profile, name="profile"),
]
