"""Contradictions in the settings of this room are named before anything starts."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from monitoring.checks import check_certificate_settings, check_zabbix_settings

URL = "https://zabbix.example"


@pytest.mark.parametrize(
    ("url", "token", "user", "password", "ids"),
    [
        ("", "", "", "", []),
        ("", "t", "", "", ["monitoring.E001"]),
        ("", "", "live", "p", ["monitoring.E001"]),
        (URL, "t", "", "", []),
        (URL, "", "live", "p", []),
        ("zabbix.example", "t", "", "", ["monitoring.E002"]),
        (URL, "", "live", "", ["monitoring.E003"]),
        (URL, "t", "live", "p", ["monitoring.E004"]),
        (URL, "", "", "", ["monitoring.E005"]),
    ],
)
def test_contradictions_are_named(
    settings: LazySettings, url: str, token: str, user: str, password: str, ids: list[str]
) -> None:
    settings.ZABBIX_URL, settings.ZABBIX_TOKEN = url, token
    settings.ZABBIX_USER, settings.ZABBIX_PASSWORD = user, password
    found = check_zabbix_settings(None)
    assert [message.id for message in found] == ids


@pytest.mark.parametrize(
    ("url", "severity", "agent", "ids"),
    [
        (URL, "disaster", "zabbix.example:10050", []),
        (URL, "dreadful", "", ["monitoring.E006"]),
        (URL, "high", "zabbix.example", ["monitoring.E007"]),
        (URL, "high", ":10050", ["monitoring.E007"]),
        (URL, "high", "zabbix.example:99999", ["monitoring.E007"]),
        ("", "high", "zabbix.example:10050", ["monitoring.W001"]),
    ],
)
def test_wishes_that_zabbix_cannot_keep_are_named(
    settings: LazySettings, url: str, severity: str, agent: str, ids: list[str]
) -> None:
    settings.ZABBIX_URL, settings.ZABBIX_TOKEN = url, "t" if url else ""
    settings.ZABBIX_USER = settings.ZABBIX_PASSWORD = ""
    settings.ZABBIX_SEVERITY, settings.ZABBIX_CERTIFICATE_AGENT = severity, agent
    assert [message.id for message in check_zabbix_settings(None)] == ids


@pytest.mark.parametrize(("warn", "trouble", "count"), [(30, 14, 0), (14, 14, 0), (7, 14, 1), (30, -1, 1)])
def test_certificates_warn_before_there_is_trouble(settings: LazySettings, warn: int, trouble: int, count: int) -> None:
    settings.CERTIFICATE_WARN_DAYS, settings.CERTIFICATE_TROUBLE_DAYS = warn, trouble
    assert [setting.id for setting in check_certificate_settings(None)] == ["monitoring.E011"] * count
