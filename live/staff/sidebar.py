"""The admin's sidebar, which links the rooms, and the badge beside its title."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _


def site_name(request: HttpRequest) -> str:
    """What this site is called."""
    return str(settings.SITE_NAME)


REPORTS_NEED = ("billing.view_invoice", "billing.view_payment")
TITLES: dict[str, Promise] = {
    "infrastructure.driftfinding": _("Drift"),
    "monitoring.maintenance": _("Maintenance"),
    "auth.group": _("Roles"),
    "mfa.authenticator": _("MFA devices"),
    "django_q.ormq": _("Queue"),
    "django_q.schedule": _("Schedules"),
}
"""Titles of lists that are not the plural name of their model."""


def item(model: str, icon: str) -> dict[str, Any]:
    """The list of `app.model` under the plural name of its rows, for those who may see them."""
    app, name = model.lower().split(".")
    permissions = (f"{app}.view_{name}", f"{app}.change_{name}")
    return {
        "title": TITLES.get(model) or capfirst(str(apps.get_model(model)._meta.verbose_name_plural)),
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: any(request.user.has_perm(permission) for permission in permissions),
    }


def reports() -> dict[str, Any]:
    """The reports for the bookkeeper, for those who may open them."""
    return {
        "title": _("Reports"),
        "icon": "monitoring",
        "link": reverse_lazy("admin:billing_reports"),
        "permission": lambda request: request.user.has_perms(REPORTS_NEED),
    }


def group(title: str | Promise, icons: Mapping[str, str], *pages: dict[str, Any]) -> dict[str, Any]:
    """A group of lists, given as `app.model` with its icon, and of other pages.

    It is closed until it is opened or holds the current page.
    """
    items = [*(item(model, icon) for model, icon in icons.items()), *pages]
    return {"title": title, "separator": True, "collapsible": True, "items": items}


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
            {
                "orders.order": "receipt_long",
                "orders.fleetupgrade": "rocket_launch",
                "orders.whmcsservice": "hub",
            },
        ),
        group(
            _("Customers"),
            {
                "customers.customer": "apartment",
                "customers.invitation": "person_add",
                "customers.supportview": "visibility",
                "customers.vatcheck": "verified",
                "customers.message": "mail",
                "customers.mailaddress": "unsubscribe",
                "customers.webhook": "webhook",
                "customers.eventdelivery": "outbox",
                "customers.whmcssync": "sync",
                "customers.whmcsconflict": "call_split",
                "customers.whmcsclientrow": "badge",
                "customers.whmcschange": "history",
            },
        ),
        group(
            _("Products"),
            {
                "products.product": "inventory_2",
                "products.release": "sell",
                "products.plan": "payments",
                "products.configrepo": "source",
                "products.cataloguesync": "sync",
            },
        ),
        group(
            _("Infrastructure"),
            {
                "infrastructure.provider": "cloud",
                "infrastructure.host": "host",
                "infrastructure.server": "dns",
                "infrastructure.serveraction": "power_settings_new",
                "infrastructure.serverkeys": "key",
                "infrastructure.deployment": "deployed_code",
                "infrastructure.service": "widgets",
                "infrastructure.endpoint": "link",
                "infrastructure.driftfinding": "rule",
                "sandbox.sandboxswitches": "tune",
            },
        ),
        group(
            _("Monitoring"),
            {
                "monitoring.monitor": "monitor_heart",
                "monitoring.incident": "emergency_home",
                "monitoring.maintenance": "engineering",
                "monitoring.problem": "warning",
                "monitoring.outage": "heart_broken",
                "monitoring.monthlyreport": "summarize",
                "monitoring.statuspage": "public",
                "monitoring.dailyavailability": "bar_chart",
                "monitoring.backendstatus": "visibility",
            },
        ),
        group(
            _("Billing"),
            {
                "billing.invoice": "request_quote",
                "billing.subscription": "autorenew",
                "billing.invoicepdf": "picture_as_pdf",
                "billing.payment": "payments",
                "billing.banktransaction": "account_balance",
                "billing.billingrun": "event_repeat",
                "billing.whmcsinvoice": "hub",
                "billing.billingprofile": "contract",
                "billing.mandate": "draw",
                "billing.directdebit": "account_balance_wallet",
                "billing.locationevidence": "location_on",
                "billing.reminderstep": "notification_important",
                "billing.reminder": "mark_email_unread",
                "billing.vatrate": "percent",
                "billing.exchangerate": "currency_exchange",
            },
            reports(),
        ),
        group(
            _("System"),
            {
                "customers.user": "person",
                "auth.group": "group",
                "mfa.authenticator": "phonelink_lock",
                "customers.apitoken": "key",
                "live.staffalert": "notifications",
                "django_q.ormq": "stacks",
                "django_q.schedule": "schedule",
                "django_q.failure": "error",
            },
        ),
    ]


def environment(request: HttpRequest) -> tuple[Promise, str] | None:
    """A badge on every page of a developer's machine."""
    return (_("Development"), "warning") if settings.DEBUG else None
