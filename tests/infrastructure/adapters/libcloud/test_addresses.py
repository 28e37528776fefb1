"""Addresses of clouds that staff enter lead out of our own network, unless the settings allow it."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from core.errors import ConfigError, TransientError
from core.outside.address_guard import PUBLIC_ONLY, AddressBlocked, AddressGuard
from infrastructure.adapters.libcloud.addresses import ADDRESSES, check_addresses, host_of
from infrastructure.adapters.libcloud.cloud import driver_names, open_driver
from infrastructure.adapters.libcloud.offers import driver_arguments

# What the system's resolver makes of names, and of numbers that are addresses too.
NAMES = {
    "keystone.corp.example": "10.0.0.5",
    "cloud.example.org": "93.184.216.34",
    "0x7f.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
}


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that has these names, and no others."""

    def look_up(host: str, port: int, *arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
        if host not in NAMES and any(letter in "ghijklmnopqrstuvwxyz" for letter in host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (NAMES.get(host, host), port))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://cloud.example.org:5000/v3", "cloud.example.org"),
        ("cloud.example.org:5000/v3", "cloud.example.org"),
        ("cloud.example.org", "cloud.example.org"),
        ("10.0.0.5", "10.0.0.5"),
        ("[::1]:8774", "::1"),
        ("::1", "::1"),
        ("[fd00::1]", "fd00::1"),
    ],
)
def test_host_is_found_in_an_address_with_or_without_a_scheme(text: str, host: str) -> None:
    assert host_of(text) == host


@pytest.mark.parametrize(
    "text",
    [
        "https://",
        "http://[::1",
        "https://127.0.0.1\\@cloud.example.org/",
        "https://cloud.example.org@127.0.0.1/",
        "cloud.example.org 127.0.0.1",
        "cloud.example.org\r\nHost: x",
    ],
)
def test_address_that_programs_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not an address of a cloud"):
        check_addresses({"host": text}, PUBLIC_ONLY)


@pytest.mark.parametrize("setting", sorted(ADDRESSES))
@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1",
        "http://169.254.169.254/latest/",
        "https://10.1.2.3:5000/v3",
        "http://[::1]:8774",
        "0x7f.1",
        "2130706433",
        "https://keystone.corp.example:5000/v3",
    ],
)
def test_address_in_a_private_network_is_blocked_in_every_setting(setting: str, text: str) -> None:
    with pytest.raises(AddressBlocked, match="ALLOWED_PRIVATE_RANGES"):
        check_addresses({"key": "x", setting: text}, PUBLIC_ONLY)


def test_public_addresses_and_allowed_ranges_are_let_through() -> None:
    check_addresses({"url": "https://cloud.example.org/api", "host": "", "endpoint": None, "port": 22}, PUBLIC_ONLY)
    own = AddressGuard.of_ranges(["10.0.0.0/8"])
    check_addresses({"ex_force_auth_url": "https://keystone.corp.example:5000/v3"}, own)
    with pytest.raises(AddressBlocked):
        check_addresses({"host": "192.168.1.1"}, own)


def test_name_that_is_not_found_is_tried_again_later() -> None:
    with pytest.raises(TransientError, match=r"The name nowhere\.example is not found"):
        check_addresses({"host": "nowhere.example"}, PUBLIC_ONLY)


def test_driver_is_not_even_made_for_a_blocked_address() -> None:
    settings = {"key": "k", "secret": "s", "ex_tenant_name": "t", "ex_force_auth_url": "http://127.0.0.1:5000/v3"}
    with pytest.raises(AddressBlocked):
        open_driver("openstack", settings, guard=PUBLIC_ONLY)
    assert open_driver("openstack", settings, guard=AddressGuard.of_ranges(["127.0.0.0/8"])).name == "OpenStack"


def test_every_address_that_a_driver_takes_is_among_those_that_are_judged() -> None:
    parts = ("url", "uri", "host", "endpoint", "server", "address")
    found = {
        argument.name
        for name in driver_names()
        for argument in driver_arguments(name)
        if any(part in argument.name for part in parts)
    }
    assert found <= ADDRESSES
