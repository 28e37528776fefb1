"""Asks addresses that speak TLS for their certificates, many at a time."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urlsplit

from cryptography.x509 import InvalidVersion, load_der_x509_certificate

HTTPS = 443


def address_of(url: str) -> tuple[str, int] | None:
    """The host and port that speak TLS for `url`; nothing where it is no https address."""
    try:
        parts = urlsplit(url)
        found = (parts.hostname, parts.port or HTTPS)
    except ValueError:
        return None
    host, port = found
    return (host, port) if parts.scheme == "https" and host else None


def read_expiries(
    addresses: Sequence[tuple[str, int]], *, timeout: float = 5.0, workers: int = 32
) -> list[datetime | None]:
    """When the certificate of each address expires, in the same order; nothing where none was shown. None raises."""
    if not addresses:
        return []
    with ThreadPoolExecutor(max_workers=min(workers, len(addresses)), thread_name_prefix="certificate") as pool:
        return list(pool.map(lambda address: _expiry(*address, timeout=timeout), addresses))


def _expiry(host: str, port: int, *, timeout: float) -> datetime | None:
    try:
        with (
            socket.create_connection((host, port), timeout=timeout) as line,
            _unjudging().wrap_socket(line, server_hostname=host) as secured,
        ):
            shown = secured.getpeercert(binary_form=True)
            return load_der_x509_certificate(shown).not_valid_after_utc if shown else None
    except (OSError, ValueError, InvalidVersion):  # a name that is none, or a certificate that is none
        return None


def _unjudging() -> ssl.SSLContext:
    """Takes any certificate: one that has expired is just the one to know of, and nothing is sent through it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
