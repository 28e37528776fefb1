"""Certificates are read from real, local addresses, whether anybody vouches for them or not."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.x509 import InvalidVersion

from core.outside.certificate import address_of, read_expiries
from tests.core.outside.test_http_check import serving
from tests.fakes.tls import self_signed

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "localhost"])]

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.mark.parametrize("until", [NOW + timedelta(days=30), NOW - timedelta(days=3)], ids=["valid", "expired"])
def test_expiry_is_read_of_any_certificate(tmp_path: Path, until: datetime) -> None:
    with serving(self_signed(tmp_path, until=until)) as url:
        assert read_expiries([address_of(url) or ("", 0)]) == [until]


def test_what_shows_no_certificate_has_no_expiry_and_holds_up_no_other(tmp_path: Path) -> None:
    with socket.socket() as closed, serving() as plain, serving(self_signed(tmp_path, until=NOW)) as secure:
        closed.bind(("127.0.0.1", 0))
        port = int(plain.rsplit(":", 1)[1])
        addresses = [closed.getsockname(), ("127.0.0.1", port), ("", 1), address_of(secure) or ("", 0)]
        assert read_expiries(addresses, timeout=2) == [None, None, None, NOW]
    assert read_expiries([]) == []


def test_certificate_of_no_known_version_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(shown: bytes) -> None:
        raise InvalidVersion("5 is not a valid X509 version", 5)

    monkeypatch.setattr("core.outside.certificate.load_der_x509_certificate", refuse)
    with serving(self_signed(tmp_path, until=NOW)) as url:
        assert read_expiries([address_of(url) or ("", 0)]) == [None]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://maps.example/wms?x=1", ("maps.example", 443)),
        ("https://[::1]:8443/wms", ("::1", 8443)),
        ("http://maps.example/wms", None),
        ("https:///wms", None),
        ("https://maps.example:soon/wms", None),
    ],
)
def test_address_is_that_of_the_web_address(url: str, address: tuple[str, int] | None) -> None:
    assert address_of(url) == address
