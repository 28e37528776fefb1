"""Settings of this room that contradict each other, found before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from monitoring.adapters.zabbix.objects import SEVERITIES

SHORTEST_SECRET = 32


@register
def check_zabbix_settings(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """The ZABBIX_* settings name one server and one way to sign in, or nothing at all."""
    url, token = settings.ZABBIX_URL, settings.ZABBIX_TOKEN
    user, password = settings.ZABBIX_USER, settings.ZABBIX_PASSWORD
    found: list[CheckMessage] = _wishes()
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


@register
def check_certificate_settings(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """First a warning, then trouble."""
    if 0 <= settings.CERTIFICATE_TROUBLE_DAYS <= settings.CERTIFICATE_WARN_DAYS:
        return []
    hint = "Such as CERTIFICATE_WARN_DAYS=30 and CERTIFICATE_TROUBLE_DAYS=14."
    return [Error("Certificates are in trouble before there is a warning.", hint=hint, id="monitoring.E011")]


def _wishes() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.ZABBIX_SEVERITY not in SEVERITIES:
        hint = f"One of {', '.join(SEVERITIES)}."
        found.append(Error("ZABBIX_SEVERITY is none that Zabbix knows.", hint=hint, id="monitoring.E006"))
    agent = settings.ZABBIX_CERTIFICATE_AGENT
    host, _, port = agent.rpartition(":")
    if agent and not (host and port.isdigit() and 0 < int(port) < 65536):
        hint = "A host and a port, such as 127.0.0.1:10050."
        found.append(Error("ZABBIX_CERTIFICATE_AGENT names no agent.", hint=hint, id="monitoring.E007"))
    elif agent and not settings.ZABBIX_URL:
        hint = "Set ZABBIX_URL too; the built-in checker asks for certificates itself."
        found.append(Warning("ZABBIX_CERTIFICATE_AGENT is set, but not ZABBIX_URL.", hint=hint, id="monitoring.W001"))
    return found
