"""System checks of the settings for servers and launches."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from infrastructure.cloud_init import names_zabbix


@register
def check_agent_server(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """ZABBIX_AGENT_SERVER is a valid address for an agent and a firewall, and Zabbix is configured."""
    server = settings.ZABBIX_AGENT_SERVER
    if not server:
        return []
    if not names_zabbix(server):
        hint = "Use an address or a host name, or several separated by commas: 198.51.100.7,zabbix.example"
        return [Error("ZABBIX_AGENT_SERVER is not a valid address.", hint=hint, id="infrastructure.E001")]
    if not settings.ZABBIX_URL:
        hint = "Set ZABBIX_URL too; otherwise servers get an agent that is never queried."
        return [Warning("ZABBIX_AGENT_SERVER is set, but not ZABBIX_URL.", hint=hint, id="infrastructure.W001")]
    return []


@register
def check_docker_host(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """DOCKER_HOST is an engine that needs no keys or certificates."""
    if not settings.DOCKER_HOST or settings.DOCKER_HOST.startswith(("unix:///", "tcp://")):
        return []
    hint = "Use unix:///… or tcp://…. To use a server over SSH, add it as a host of a provider."
    return [Error(f"DOCKER_HOST '{settings.DOCKER_HOST}' is not supported.", hint=hint, id="infrastructure.E002")]


@register
def check_launches(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """At least one launch at a time is allowed, and launches and changes have some time to finish."""
    names = ("LAUNCHES_AT_ONCE", "LAUNCH_TIMEOUT", "PREPARE_TIMEOUT", "CHANGE_TIMEOUT")
    wrong = [name for name in names if getattr(settings, name) <= 0]
    return [Error(f"{name} has to be greater than 0.", id="infrastructure.E003") for name in wrong]
