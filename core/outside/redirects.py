"""Reads addresses as browsers do: plain letters, spaces, other scripts, relative redirects. Pure."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import idna

REDIRECTS = frozenset({301, 302, 303, 307, 308})
# All that may stand in a URL as it is; what is escaped already stays so.
PLAIN = re.compile(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:[/?][A-Za-z0-9%/:?@!$&'()*+,;=._~-]*)?")
UNTOUCHED = "%/:?#[]@!$&'()*+,;=~|^`{}\\"


def ascii_url(text: str) -> str:
    """`text` as it goes over the wire; ValueError when it is no http address.

    Characters that came as bytes which are no UTF-8 (surrogate escapes) are sent as those bytes.
    """
    if PLAIN.fullmatch(text):  # nearly every address, and nothing in it to rewrite
        return text
    parts = urlsplit(_without_controls(text).replace("\\", "/"))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not a web address: {text[:100]!r}")
    account = parts.netloc.rpartition("@")[0]
    host = _ascii_host(parts.hostname)
    port = f":{parts.port}" if parts.port is not None else ""
    netloc = f"{_escaped(account)}@{host}{port}" if account else f"{host}{port}"
    return urlunsplit((parts.scheme, netloc, _escaped(parts.path) or "/", _escaped(parts.query), ""))


def redirect_target(url: str, location: str) -> str:
    """Where a redirect from `url` leads; ValueError when that is no http address."""
    return ascii_url(urljoin(url, _without_controls(location).replace("\\", "/")))


def _ascii_host(host: str) -> str:
    if ":" in host:
        return f"[{host}]"
    return host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")


def _escaped(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=UNTOUCHED)


def _without_controls(text: str) -> str:
    """Browsers take tabs and line ends out, and strip blanks: https://url.spec.whatwg.org/#concept-basic-url-parser."""
    return "".join(letter for letter in text.strip() if letter not in "\t\r\n")
