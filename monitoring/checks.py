"""Settings of this room that contradict each other, found before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SHORTEST_SECRET = 32


@register
def check_zabbix_settings(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """The ZABBIX_* settings name one server and one way to sign in, or nothing at all."""
    url, token = settings.ZABBIX_URL, settings.ZABBIX_TOKEN
    user, password = settings.ZABBIX_USER, settings.ZABBIX_PASSWORD
    found: list[CheckMessage] = []
    if 0 < len(settings.ZABBIX_WEBHOOK_SECRET) < SHORTEST_SECRET:
        hint = "Make one with: python -c 'import secrets; print(secrets.token_urlsafe(32))'"
        found.append(Error("ZABBIX_WEBHOOK_SECRET is too short to keep a secret.", hint=hint, id="monitoring.E010"))
    if not url:
        if token or user or password:
            found.append(Error("Zabbix credentials are set, but not ZABBIX_URL.", id="monitoring.E001"))
        return found
    if not url.startswith(("http://", "https://")):
        found.append(Error("ZABBIX_URL is not a web address.", id="monitoring.E002"))
    if bool(user) != bool(password):
        found.append(Error("ZABBIX_USER and ZABBIX_PASSWORD only work together.", id="monitoring.E003"))
    elif token and user:
        hint = "Keep the token, and unset ZABBIX_USER and ZABBIX_PASSWORD."
        found.append(
            Error("Zabbix has two ways to sign in: ZABBIX_TOKEN and ZABBIX_USER.", hint=hint, id="monitoring.E004")
        )
    elif not token and not user:
        found.append(Error("ZABBIX_URL is set, but no ZABBIX_TOKEN (or user and password).", id="monitoring.E005"))
    return found
