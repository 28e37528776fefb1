"""What every template may say about this site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

SECTIONS = {
    **dict.fromkeys(("customers", "customer", "team", "availability"), "customers"),
    "profile": "profile",
    "invoices": "invoices",
    **dict.fromkeys(("notifications", "notification", "notification_settings"), "notifications"),
}


def site(request: HttpRequest) -> dict[str, object]:
    """The site's name and address, whom to write to, and the part of the portal this page belongs to."""
    match = request.resolver_match
    section = SECTIONS.get(match.url_name or "", "orders") if match and match.app_name == "portal" else ""
    return {
        "site_name": settings.SITE_NAME,
        "site_url": settings.SITE_URL,
        "contact_email": settings.SELLER["email"],
        "section": section,
    }
