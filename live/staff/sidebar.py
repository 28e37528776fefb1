"""The admin's sidebar, which links the rooms, and the badge beside its title."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


def site_name(request: HttpRequest) -> str:
    """What this site is called."""
    return str(settings.SITE_NAME)


def may_view(model: str) -> Callable[[HttpRequest], bool]:
    """True of people who may see rows of `app.model`."""
    app, name = model.split(".")
    return lambda request: request.user.has_perm(f"{app}.view_{name}") or request.user.has_perm(f"{app}.change_{name}")


def item(title: str | Promise, icon: str, model: str, query: str = "") -> dict[str, Any]:
    """A line of the sidebar: the list of one model, for those who may see it."""
    address = reverse_lazy(f"admin:{model.replace('.', '_')}_changelist")
    link = (lambda request: f"{address}{query}") if query else address
    return {"title": title, "icon": icon, "link": link, "permission": may_view(model)}


def group(title: str | Promise, *items: dict[str, Any]) -> dict[str, Any]:
    """A group of the sidebar, closed until it is opened or holds the current page."""
    return {"title": title, "separator": True, "collapsible": True, "items": list(items)}


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """Every room, grouped as the house is built."""
    return [
        {
            "items": [
                {"title": _("Dashboard"), "icon": "dashboard", "link": reverse_lazy("admin:index")},
                {"title": _("Customer portal"), "icon": "open_in_new", "link": "/", "active": False},
            ]
        },
        group(
            _("Orders"),
            item(_("Orders"), "receipt_long", "orders.order"),
            item(_("WHMCS services"), "hub", "orders.whmcsservice"),
        ),
        group(
            _("Customers"),
            item(_("Customers"), "apartment", "customers.customer"),
            item(_("Messages"), "mail", "customers.message"),
            item(_("WHMCS syncs"), "sync", "customers.whmcssync"),
            item(_("WHMCS conflicts"), "call_split", "customers.whmcsconflict"),
            item(_("WHMCS clients"), "badge", "customers.whmcsclientrow"),
            item(_("WHMCS changes"), "history", "customers.whmcschange"),
        ),
        group(
            _("Products"),
            item(_("Products"), "inventory_2", "products.product"),
            item(_("Releases"), "sell", "products.release"),
            item(_("Plans"), "payments", "products.plan"),
            item(_("Config-repos"), "source", "products.configrepo"),
            item(_("Catalogue syncs"), "sync", "products.cataloguesync"),
        ),
        group(
            _("Infrastructure"),
            item(_("Providers"), "cloud", "infrastructure.provider"),
            item(_("Hosts"), "host", "infrastructure.host"),
            item(_("Servers"), "dns", "infrastructure.server"),
            item(_("Server actions"), "power_settings_new", "infrastructure.serveraction"),
            item(_("Server keys"), "key", "infrastructure.serverkeys"),
            item(_("Deployments"), "deployed_code", "infrastructure.deployment"),
            item(_("Services"), "widgets", "infrastructure.service"),
            item(_("Endpoints"), "link", "infrastructure.endpoint"),
            item(_("Drift"), "rule", "infrastructure.driftfinding"),
            item(_("Sandbox switches"), "tune", "sandbox.sandboxswitches"),
        ),
        group(
            _("Monitoring"),
            item(_("Monitors"), "monitor_heart", "monitoring.monitor"),
            item(_("Incidents"), "emergency_home", "monitoring.incident"),
            item(_("Maintenance"), "engineering", "monitoring.maintenance"),
            item(_("Problems"), "warning", "monitoring.problem"),
            item(_("Outages"), "heart_broken", "monitoring.outage"),
            item(_("Monthly reports"), "summarize", "monitoring.monthlyreport"),
            item(_("Status pages"), "public", "monitoring.statuspage"),
            item(_("Daily availability"), "bar_chart", "monitoring.dailyavailability"),
            item(_("Monitoring backends"), "visibility", "monitoring.backendstatus"),
        ),
        group(
            _("Billing"),
            item(_("Invoices"), "request_quote", "billing.invoice"),
            item(_("Subscriptions"), "autorenew", "billing.subscription"),
            item(_("Invoice PDFs"), "picture_as_pdf", "billing.invoicepdf"),
            item(_("Payments"), "payments", "billing.payment"),
            item(_("Bank transactions"), "account_balance", "billing.banktransaction"),
            item(_("Billing runs"), "event_repeat", "billing.billingrun"),
            item(_("Billing profiles"), "contract", "billing.billingprofile"),
            item(_("SEPA mandates"), "draw", "billing.mandate"),
            item(_("Location evidence"), "location_on", "billing.locationevidence"),
            item(_("Reminder plan"), "notification_important", "billing.reminderstep"),
            item(_("Reminders"), "mark_email_unread", "billing.reminder"),
            item(_("VAT rates"), "percent", "billing.vatrate"),
            item(_("Exchange rates"), "currency_exchange", "billing.exchangerate"),
        ),
        group(
            _("System"),
            item(_("Users"), "person", "customers.user"),
            item(_("Roles"), "group", "auth.group"),
            item(_("MFA devices"), "phonelink_lock", "mfa.authenticator"),
            item(_("API tokens"), "key", "customers.apitoken"),
            item(_("Alerts"), "notifications", "live.staffalert"),
            item(_("Queue"), "stacks", "django_q.ormq"),
            item(_("Schedules"), "schedule", "django_q.schedule"),
            item(_("Failed tasks"), "error", "django_q.failure"),
        ),
    ]


def environment(request: HttpRequest) -> tuple[Promise, str] | None:
    """A badge on every page of a developer's machine."""
    return (_("Development"), "warning") if settings.DEBUG else None
