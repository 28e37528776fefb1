"""Keeps requests to addresses that people give us out of our own network.

A name is judged by the addresses it resolves to, and the connection is made to those very addresses: a name server that
gives another answer a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from core.errors import PermanentError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

IP_ADDRESS = re.compile(r"[0-9]+(\.[0-9]+){3}|.*:.*")  # no name has a colon
PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html: the one outside link-local.
METADATA = ipaddress.IPv6Address("fd00:ec2::254")


class AddressBlocked(PermanentError):
    """The address is in a network that must not be reached from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressGuard:
    """Lets public addresses through, and private ones in the `allowed` ranges.

    With `private` every private address is let through as well, but cloud metadata and link-local ones are not.
    """

    allowed: tuple[Network, ...] = ()
    private: bool = False

    @classmethod
    def of_ranges(cls, ranges: Iterable[str]) -> AddressGuard:
        """A guard that allows `ranges` such as 10.20.0.0/16; ValueError for one that is not a range."""
        return cls(allowed=tuple(ipaddress.ip_network(text.strip()) for text in ranges if text.strip()))

    def allows(self, address: str) -> bool:
        """True when a connection to this IP address may be made."""
        return _allows(self, address)

    def _judge(self, address: str) -> bool:
        try:
            reached = reached_address(ipaddress.ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if any(reached in network for network in self.allowed if network.version == reached.version):
            return True
        if reached.is_link_local or reached.is_multicast or reached.is_unspecified or reached == METADATA:
            return False
        return self.private or reached.is_global

    def allows_host(self, host: str) -> bool:
        """False for an IP address that is not allowed; a name is judged when it is resolved."""
        return self.allows(host) if IP_ADDRESS.fullmatch(host) else True

    def filter(self, host: str, addresses: Iterable[str]) -> list[str]:
        """Those of the addresses of `host` that may be reached; AddressBlocked when there are none."""
        if allowed := [address for address in addresses if self.allows(address)]:
            return allowed
        raise AddressBlocked(
            f"{host} is in a private network. Use a public address, or add the range to ALLOWED_PRIVATE_RANGES."
        )

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of `host` that may be reached; OSError when the name is not found, AddressBlocked if none."""
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return self.filter(host, dict.fromkeys(str(info[4][0]) for info in infos))

    def check_url(self, url: str) -> None:
        """Returns if `url` may be requested; else AddressBlocked, ValueError (no web address) or OSError (no name).

        For a form, or for a program that opens the URL itself; requests of our own go through `GuardedAdapter`, which
        connects to what was judged.
        """
        parts = urlsplit(url)
        if parts.scheme not in PORTS or not parts.hostname:
            raise ValueError(f"'{url}' is not a web address")
        self.resolve(parts.hostname, parts.port or PORTS[parts.scheme])


def reached_address(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only wraps it (mapped, 6to4, Teredo, NAT64); else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else address)


@lru_cache(maxsize=4096)  # one batch of checks asks for the same hosts many times
def _allows(guard: AddressGuard, address: str) -> bool:
    return guard._judge(address)


PUBLIC_ONLY = AddressGuard()
EXCEPT_METADATA = AddressGuard(private=True)
