"""Makes the adapter of the monitoring backend: the one place that tests replace."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from core.address_policy import address_guard
from core.outside.certificate import read_expiries
from monitoring.adapters.builtin.checker import BuiltinBackend
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.adapters.zabbix.history_source import ZabbixHistorySource
from monitoring.contracts.backend import MonitorBackend
from monitoring.contracts.history_source import HistorySource

__all__ = ["get_backend", "read_expiries"]


def get_backend() -> MonitorBackend:
    """Zabbix where ZABBIX_URL is set, else the built-in checker."""
    if not settings.ZABBIX_URL:
        return BuiltinBackend(guard=address_guard())
    return _zabbix(
        url=settings.ZABBIX_URL,
        token=settings.ZABBIX_TOKEN,
        user=settings.ZABBIX_USER,
        password=settings.ZABBIX_PASSWORD,
        severity=settings.ZABBIX_SEVERITY,
        probe=settings.ZABBIX_CERTIFICATE_AGENT,
    )


def get_history_source() -> HistorySource | None:
    """The history of the backend; None for the built-in checker, which keeps none."""
    backend = get_backend()
    return ZabbixHistorySource(backend.client) if isinstance(backend, ZabbixBackend) else None


@lru_cache(maxsize=1)
def _zabbix(*, url: str, token: str, user: str, password: str, severity: str, probe: str) -> ZabbixBackend:
    """One instance per process: each sign-in by password is a session that Zabbix keeps."""
    return ZabbixBackend(url=url, token=token, user=user, password=password, severity=severity, probe=probe)
