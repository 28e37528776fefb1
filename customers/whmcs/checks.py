"""Settings of WHMCS that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

SHORTEST_SECRET = 32


@register()
def whmcs_settings(app_configs: Any, **kwargs: Any) -> Sequence[CheckMessage]:
    """customers.E001 to E003, customers.W001: WHMCS can be reached with what is set, and nobody else writes hooks."""
    found: list[CheckMessage] = []
    names = ("WHMCS_URL", "WHMCS_IDENTIFIER", "WHMCS_SECRET")
    missing = [name for name in names if not getattr(settings, name)]
    if missing and len(missing) < len(names):
        found.append(Error(f"WHMCS is set up by half: {', '.join(missing)} is missing", id="customers.E001"))
    url = urlsplit(settings.WHMCS_URL)
    if settings.WHMCS_URL and (url.scheme not in ("http", "https") or not url.hostname or url.username):
        hint = "Such as https://billing.example/whmcs, without user, password or query."
        found.append(Error("WHMCS_URL is not the address of a WHMCS", hint=hint, id="customers.E002"))
    is_local = url.hostname in ("localhost", "127.0.0.1", "::1")
    if url.scheme == "http" and not is_local:
        hint = "Use https://: the API's secret travels with every call."
        found.append(Warning("WHMCS_URL is not encrypted", hint=hint, id="customers.W001"))
    if 0 < len(settings.WHMCS_WEBHOOK_SECRET) < SHORTEST_SECRET:
        hint = f"Use {SHORTEST_SECRET} characters or more."
        found.append(Error("WHMCS_WEBHOOK_SECRET is too short", hint=hint, id="customers.E003"))
    return found
