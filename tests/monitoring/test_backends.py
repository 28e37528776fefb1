"""The settings decide who watches."""

from __future__ import annotations

from django.conf import LazySettings

from monitoring.adapters.builtin.checker import BuiltinBackend
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.backends import get_backend
from monitoring.choices import Backend


def test_builtin_checker_watches_unless_there_is_a_zabbix(settings: LazySettings) -> None:
    settings.ZABBIX_URL = ""
    assert isinstance(get_backend(), BuiltinBackend)


def test_zabbix_watches_where_its_address_is_set_and_keeps_its_session(settings: LazySettings) -> None:
    settings.ZABBIX_URL, settings.ZABBIX_TOKEN = "https://zabbix.example", "one"
    backend = get_backend()
    assert isinstance(backend, ZabbixBackend)
    assert get_backend() is backend
    settings.ZABBIX_TOKEN = "another"
    assert get_backend() is not backend


def test_rows_can_name_whoever_watches() -> None:
    assert {BuiltinBackend.name, ZabbixBackend.name} == set(Backend.values)
