"""Contradictions in the settings of this room are named before anything starts."""

from __future__ import annotations

import pytest
from django.conf import LazySettings

from monitoring.checks import check_zabbix_settings

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
