"""Settings of this room that contradict each other, found before anything starts."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from infrastructure.cloud_init import names_zabbix


@register
def check_agent_server(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """ZABBIX_AGENT_SERVER can stand in an agent's settings and a firewall, and there is a Zabbix to speak to it."""
    server = settings.ZABBIX_AGENT_SERVER
    if not server:
        return []
    if not names_zabbix(server):
        hint = "An address or a name, or several with commas: 198.51.100.7,zabbix.example"
        return [Error("ZABBIX_AGENT_SERVER is no address of a Zabbix server.", hint=hint, id="infrastructure.E001")]
    if not settings.ZABBIX_URL:
        hint = "Set ZABBIX_URL too, or servers get an agent that nobody asks."
        return [Warning("ZABBIX_AGENT_SERVER is set, but not ZABBIX_URL.", hint=hint, id="infrastructure.W001")]
    return []


@register
def check_docker_host(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """DOCKER_HOST is an engine that can be spoken to without keys or certificates."""
    if not settings.DOCKER_HOST or settings.DOCKER_HOST.startswith(("unix:///", "tcp://")):
        return []
    hint = "unix:///… or tcp://…; a server over SSH is a host of a provider, with keys of its own."
    return [Error(f"DOCKER_HOST is '{settings.DOCKER_HOST}'.", hint=hint, id="infrastructure.E002")]


@register
def check_launches(app_configs: object, **_: object) -> Sequence[CheckMessage]:
    """At least one launch may be under way, and it may take some time."""
    if settings.LAUNCHES_AT_ONCE > 0 and settings.LAUNCH_TIMEOUT > 0:
        return []
    return [Error("LAUNCHES_AT_ONCE and LAUNCH_TIMEOUT have to be above 0.", id="infrastructure.E003")]
