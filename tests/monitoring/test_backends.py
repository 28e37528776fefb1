"""The settings decide who watches."""

from __future__ import annotations

from django.conf import LazySettings

from monitoring.adapters.builtin.checker import BuiltinWatch
from monitoring.adapters.zabbix.backend import ZabbixWatch
from monitoring.backends import get_watch
from monitoring.choices import Backend


def test_builtin_checker_watches_unless_there_is_a_zabbix(settings: LazySettings) -> None:
    settings.ZABBIX_URL = ""
    assert isinstance(get_watch(), BuiltinWatch)


def test_zabbix_watches_where_its_address_is_set_and_keeps_its_session(settings: LazySettings) -> None:
    settings.ZABBIX_URL, settings.ZABBIX_TOKEN = "https://zabbix.example", "one"
    watch = get_watch()
    assert isinstance(watch, ZabbixWatch)
    assert get_watch() is watch
    settings.ZABBIX_TOKEN = "another"
    assert get_watch() is not watch


def test_rows_can_name_whoever_watches() -> None:
    assert {BuiltinWatch.backend, ZabbixWatch.backend} == set(Backend.values)
