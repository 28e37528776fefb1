"""The admin's face: its name and its colours. Read by settings, so it touches no app."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "live.staff.sidebar.site_name",
    "SITE_HEADER": "live.staff.sidebar.site_name",
    "SITE_SUBHEADER": _("Staff"),
    "SITE_URL": "/",
    "SITE_ICON": lambda request: static("portal/mark.svg"),
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("portal/mark.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "ENVIRONMENT": "live.staff.sidebar.environment",
    "DASHBOARD_CALLBACK": "live.staff.dashboard.dashboard",
    "SCRIPTS": [
        lambda request: static("admin_live/clock.js"),
        lambda request: static("admin_live/copy.js"),
        lambda request: static("admin_live/names.js"),
    ],
    "STYLES": [lambda request: static("admin_live/admin.css")],
    "COMMAND": {"search_models": ["orders.order", "customers.customer"]},
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "live.staff.sidebar.sidebar"},
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {  # the portal's teal
            "50": "#effbf8",
            "100": "#d3f4ec",
            "200": "#a8e8db",
            "300": "#73d5c5",
            "400": "#41baaa",
            "500": "#1f9e90",
            "600": "#0f7f75",
            "700": "#0f665f",
            "800": "#11514d",
            "900": "#124440",
            "950": "#042926",
        },
    },
}
