"""The portal's addresses."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, register_converter

from live.portal.converters import MonthConverter
from live.portal.views import (
    availability,
    confirmation,
    connection,
    customers,
    invoices,
    new_order,
    notifications,
    order_actions,
    order_changes,
    orders,
    reports,
)

register_converter(MonthConverter, "month")

app_name = "portal"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", orders.order_list, name="orders"),
    path("orders/new/", new_order.choose_product, name="choose_product"),
    path("orders/new/<slug:product>/", new_order.choose_plan, name="choose_plan"),
    path("orders/new/<slug:product>/<slug:plan>/", new_order.draft_order, name="draft_order"),
    path("orders/<slug:reference>/", orders.order_page, name="order"),
    path("orders/<slug:reference>/progress/", orders.order_progress, name="progress"),
    path("orders/<slug:reference>/draft/", new_order.edit_draft, name="edit_draft"),
    path("orders/<slug:reference>/placing/", order_actions.place, name="place"),
    path("orders/<slug:reference>/suspension/", order_actions.suspend, name="suspend"),
    path("orders/<slug:reference>/resumption/", order_actions.resume, name="resume"),
    path("orders/<slug:reference>/removal/", order_actions.remove, name="remove"),
    path("orders/<slug:reference>/upgrade/", order_changes.upgrade, name="upgrade"),
    path("orders/<slug:reference>/rollback/", order_changes.roll_back, name="roll_back"),
    path("orders/<slug:reference>/plan/", order_changes.change_plan, name="change_plan"),
    path("orders/<slug:reference>/settings/", order_changes.change_inputs, name="change_inputs"),
    path("orders/<slug:reference>/secret-rotation/", order_changes.rotate_secrets, name="rotate_secrets"),
    path("orders/<slug:reference>/removal/withdrawal/", order_actions.keep, name="keep"),
    path("orders/<slug:reference>/secrets/", order_actions.secrets, name="secrets"),
    path("orders/<slug:reference>/qgis/<slug:endpoint>/", connection.qgis_file, name="qgis_file"),
    path("orders/<slug:reference>/map/", connection.map_preview, name="map"),
    path("orders/<slug:reference>/map/<slug:endpoint>/", connection.map_picture, name="map_picture"),
    path("orders/<slug:reference>/reports/", reports.report_list, name="reports"),
    path("orders/<slug:reference>/reports/<month:month>/", reports.report_page, name="report"),
    path("orders/<slug:reference>/reports/<month:month>/pdf/", reports.report_file, name="report_pdf"),
    path("customers/", customers.customer_list, name="customers"),
    path("customers/<slug:number>/", customers.customer_page, name="customer"),
    path("customers/<slug:number>/availability/", availability.availability, name="availability"),
    path("customers/<slug:number>/availability/link/", availability.share, name="share"),
    path("invoices/", invoices.invoice_list, name="invoices"),
    path("invoices/<str:number>/pdf/", invoices.invoice_pdf, name="invoice_pdf"),
    path("invoices/<str:number>/xml/", invoices.invoice_xml, name="invoice_xml"),
    path("confirm/", confirmation.confirm, name="confirm"),
    path("notifications/", notifications.notification_list, name="notifications"),
    path("notifications/settings/", notifications.notification_settings, name="notification_settings"),
    path("notifications/<int:pk>/", notifications.notification, name="notification"),
    path("", include("live.portal.integrations.urls")),
]
