"""The addresses among a driver's settings: judged before the driver connects to what somebody entered."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from core.errors import ConfigError, TransientError
from core.outside.address_guard import AddressGuard

ADDRESSES = frozenset({"api_url", "base_uri", "endpoint", "ex_force_auth_url", "ex_force_base_url", "host", "url"})
HTTPS = 443
# Programs do not agree where the host begins in an address with one of these.
AMBIGUOUS = re.compile(r"[\\@\s\x00-\x1f]")


def entered_hosts(settings: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """(setting, host) of each address in `settings`; raises ConfigError for what is no address."""
    for name in sorted(ADDRESSES & settings.keys()):
        if text := str(settings[name] or "").strip():
            yield name, host_of(text)


def host_of(text: str) -> str:
    """The host of `https://cloud.example:5000/v3`, `cloud.example:5000` or `cloud.example`."""
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError:
        pass
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname
    except ValueError:
        host = None
    if not host or AMBIGUOUS.search(text):
        raise ConfigError(f"'{text}' is not an address of a cloud")
    return host


def check_addresses(settings: Mapping[str, object], guard: AddressGuard) -> None:
    """Returns if every address in `settings` may be reached; raises AddressBlocked for one that may not."""
    for _name, host in entered_hosts(settings):
        try:
            guard.resolve(host, HTTPS)
        except (OSError, UnicodeError) as error:
            raise TransientError(f"The name {host} is not found") from error
