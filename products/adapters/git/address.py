"""Where git may connect to: addresses that run no program, and that the guard allows."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from core.errors import ConfigError, TransientError
from core.outside.address_guard import AddressGuard

PORTS = {"http": 80, "https": 443, "ssh": 22, "git+ssh": 22, "ssh+git": 22, "git": 9418}
_HELPER = re.compile(r"[A-Za-z0-9+.-]+::")
_USERINFO = re.compile(r"//[^/@\s]*@")


def without_userinfo(text: str) -> str:
    """The text without passwords in addresses."""
    return _USERINFO.sub("//", text)


def check_git_url(url: str) -> None:
    """Raises ConfigError for an address by which git would run a program or take it for an option."""
    if url.startswith("-") or _HELPER.match(url) or any(sign in url for sign in "\0\r\n"):
        raise ConfigError(f"“{url[:60]}” is not an address of a git repository: use https://, ssh:// or git@host:path")


def host_of(url: str) -> tuple[str, int]:
    """The host and port that git would connect to; an empty host for a path of this machine."""
    if "://" in url:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    host, colon, _path = url.rpartition("@")[2].partition(":")
    return (host, PORTS["ssh"]) if colon and "/" not in host else ("", 0)


def guarded_settings(url: str, guard: AddressGuard) -> list[str]:
    """Settings by which git connects to what the guard allows; raises AddressBlocked for any other address.

    Over HTTP git is held to the addresses that were judged, and follows no redirect.
    """
    host, port = host_of(url)
    if not host:
        return []
    try:
        addresses = guard.resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise TransientError(f"the name {host} is not found") from error
    if not url.lower().startswith("http"):
        return []
    pinned = ",".join(f"[{address}]" if ":" in address else address for address in addresses)
    return ["-c", "http.followRedirects=false", "-c", f"http.curloptResolve={host}:{port}:{pinned}"]
