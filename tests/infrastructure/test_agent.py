"""Which servers boot with a Zabbix agent, and for whom."""

from __future__ import annotations

import pytest
import yaml
from django.core.checks import run_checks
from pytest_django import Settings

from infrastructure.backends import user_data_of
from infrastructure.models import Provider, Server
from tests.driving import Drive
from tests.infrastructure.conftest import MakeHost, Place

pytestmark = pytest.mark.django_db(transaction=True)


def agent_settings(server: Server) -> str:
    """What the bootstrap of the server is told."""
    files: list[dict[str, str]] = yaml.safe_load(user_data_of(server))["write_files"]
    return next(file["content"] for file in files if file["path"] == "/etc/live/bootstrap.env")


def test_a_new_server_gets_an_agent_for_the_zabbix_that_the_settings_name(
    settings: Settings, drive: Drive, cloud: Provider, place: Place
) -> None:
    settings.ZABBIX_AGENT_SERVER = "198.51.100.7"
    order = place("dedicated")
    server = Server.objects.get()
    assert server.has_agent
    assert agent_settings(server) == f"LIVE_KEY='{order.key}'\nZABBIX_SERVERS='198.51.100.7'\n"


def test_without_one_there_is_no_agent_and_none_comes_later(
    settings: Settings, drive: Drive, cloud: Provider, place: Place
) -> None:
    place("dedicated")
    settings.ZABBIX_AGENT_SERVER = "198.51.100.7"
    server = Server.objects.get()
    assert not server.has_agent
    assert agent_settings(server).endswith("ZABBIX_SERVERS=''\n")


def test_a_place_on_a_host_of_ours_gets_nothing(
    settings: Settings, drive: Drive, make_host: MakeHost, place: Place
) -> None:
    settings.ZABBIX_AGENT_SERVER = "198.51.100.7"
    make_host()
    place()
    assert not Server.objects.get().has_agent


@pytest.mark.parametrize(
    ("server", "url", "expected"),
    [
        ("", "", set()),
        ("198.51.100.7", "https://zabbix.example", set()),
        ("198.51.100.7,zabbix.example,2001:db8::7", "https://zabbix.example", set()),
        ("198.51.100.7", "", {"infrastructure.W001"}),
        ("198.51.100.0/24", "https://zabbix.example", {"infrastructure.E001"}),
        ("check, two", "https://zabbix.example", {"infrastructure.E001"}),
        ("https://zabbix.example", "https://zabbix.example", {"infrastructure.E001"}),
    ],
)
def test_settings_that_contradict_each_other_are_said(
    settings: Settings, server: str, url: str, expected: set[str]
) -> None:
    settings.ZABBIX_AGENT_SERVER, settings.ZABBIX_URL = server, url
    assert {str(check.id) for check in run_checks() if str(check.id).startswith("infrastructure.")} == expected
