"""Addresses that people give us don't lead into our own network."""

from __future__ import annotations

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.address_policy import address_guard
from core.outside.address_guard import EXCEPT_METADATA, PUBLIC_ONLY, AddressBlocked, AddressGuard
from core.outside.guarded_requests import guarded_session
from tests.core.outside.raw_server import redirect, response, serving_raw

PRIVATE = [
    "10.0.0.1", "127.0.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1", "::1", "fe80::1",  # noqa: S104
    "fc00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_blocked_however_they_are_written(address: str) -> None:
    assert not PUBLIC_ONLY.allows(address)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert PUBLIC_ONLY.allows(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_allowed_range_lets_through_what_is_in_it_and_nothing_else(address: object) -> None:
    guard = AddressGuard.of_ranges(["10.1.0.0/16"])
    assert guard.allows(str(address)) == str(address).startswith("10.1.")


def test_metadata_is_blocked_even_where_private_addresses_are_allowed() -> None:
    assert EXCEPT_METADATA.allows("10.0.0.1")
    assert not EXCEPT_METADATA.allows("169.254.169.254")
    assert not EXCEPT_METADATA.allows("fd00:ec2::254")


@pytest.mark.parametrize("url", ["ftp://a.example/", "http://", "nothing"])
def test_no_web_address_is_a_value_error(url: str) -> None:
    with pytest.raises(ValueError, match="is not a web address"):
        PUBLIC_ONLY.check_url(url)


def test_name_is_judged_by_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: [info])
    with pytest.raises(AddressBlocked, match=r"innocent\.example is in a private network"):
        PUBLIC_ONLY.check_url("http://innocent.example/")
    AddressGuard.of_ranges(["10.0.0.0/8"]).check_url("http://innocent.example/")


def test_ranges_come_from_the_settings(settings: object) -> None:
    settings.ALLOWED_PRIVATE_RANGES = ["10.20.0.0/16", " "]
    assert address_guard().allows("10.20.1.1")
    assert not address_guard().allows("10.21.1.1")


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_guarded_session_connects_only_where_it_may() -> None:
    loopback = AddressGuard.of_ranges(["127.0.0.1/32"])
    pages = {"/": response(b"ok"), "/away": redirect("http://127.0.0.2/")}
    with serving_raw(pages) as port, guarded_session(loopback) as session:
        assert session.get(f"http://127.0.0.1:{port}/", timeout=5).text == "ok"
        with pytest.raises(AddressBlocked):
            session.get(f"http://127.0.0.1:{port}/away", timeout=5)
        with guarded_session(PUBLIC_ONLY) as strict, pytest.raises(AddressBlocked):
            strict.get(f"http://127.0.0.1:{port}/", timeout=5)
