"""Makes the adapter that watches: the one place that tests replace."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from live.lib.adapters.certificate import read_expiries
from monitoring.adapters.builtin import BuiltinWatch
from monitoring.adapters.words import Watch
from monitoring.adapters.zabbix import ZabbixWatch

__all__ = ["get_watch", "read_expiries"]


def get_watch() -> Watch:
    """Whatever watches the addresses of all orders: Zabbix where ZABBIX_URL is set, else the built-in checker."""
    if not settings.ZABBIX_URL:
        return BuiltinWatch()
    return _zabbix(settings.ZABBIX_URL, settings.ZABBIX_TOKEN, settings.ZABBIX_USER, settings.ZABBIX_PASSWORD)


@lru_cache(maxsize=1)
def _zabbix(url: str, token: str, user: str, password: str) -> ZabbixWatch:
    """One for the life of the process: each sign-in by password is a session that Zabbix keeps."""
    return ZabbixWatch(url=url, token=token, user=user, password=password)
