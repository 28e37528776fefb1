"""Zabbix's own texts about a failed web scenario, as the failures that every backend speaks of."""

from __future__ import annotations

import re

from core.outside.check_failure import LONGEST_DETAIL, CheckFailure, FailureKind

# Zabbix's texts and those of curl, which it quotes (https://curl.se/libcurl/c/libcurl-errors.html). The first that is
# found counts: what may quote anything stands first, and what the name of a host might contain stands last.
TEXTS: tuple[tuple[str, FailureKind], ...] = (
    (
        r'response code "(?P<status>\d+)" did not match any of the required status codes "(?P<expected>[^"]*)',
        FailureKind.STATUS,
    ),
    (r"required pattern", FailureKind.TEXT_MISSING),
    (r"(?:timed out|timeout) after (?P<milliseconds>\d+) (?:ms|milliseconds)", FailureKind.TIMEOUT),
    (r"(?:could not|couldn't) resolve", FailureKind.NAME_NOT_FOUND),
    (r"connection refused", FailureKind.CONNECTION_REFUSED),
    (r"no route to host|network is unreachable", FailureKind.UNREACHABLE),
    (r"time-?out|timed out", FailureKind.TIMEOUT),
    (r"failed to connect|(?:could not|couldn't) connect", FailureKind.CONNECT_FAILED),
    (r"content encoding|error while processing content unencoding", FailureKind.INVALID_COMPRESSION),
    (
        r"reset by peer|empty reply|returned nothing|the peer$|(?:recv|send) failure|partial|outstanding read data",
        FailureKind.CONNECTION_CLOSED,
    ),
    (r"unsupported HTTP|weird server reply|invalid header|HTTP/0\.9", FailureKind.INVALID_RESPONSE),
    (r"redirect", FailureKind.TOO_MANY_REDIRECTS),
    (r"malformed|illegal format|unsupported protocol", FailureKind.INVALID_ADDRESS),
    (r"certificate has expired", FailureKind.CERTIFICATE_EXPIRED),
    (r"certificate is not yet valid", FailureKind.CERTIFICATE_NOT_YET_VALID),
    (r"self.signed certificate", FailureKind.CERTIFICATE_SELF_SIGNED),
    (r"hostname mismatch|does not match|doesn't match|no alternative", FailureKind.CERTIFICATE_HOST_MISMATCH),
    (r"issuer", FailureKind.CERTIFICATE_UNTRUSTED),
    (r"certificate|CA cert", FailureKind.CERTIFICATE_INVALID),
    (r"SSL|TLS", FailureKind.TLS),
)
PATTERNS = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), kind) for pattern, kind in TEXTS)


def failure_of_text(text: str, *, contains: str = "", max_seconds: float | None = None) -> CheckFailure:
    """The failure that Zabbix's text means; one that is not recognised is kept as the detail of `OTHER`.

    The check's own promises fill in what Zabbix leaves out.
    """
    detail = text[:LONGEST_DETAIL]
    for pattern, kind in PATTERNS:
        if (found := pattern.search(text)) is not None:
            named = found.groupdict()
            milliseconds = named.get("milliseconds")
            return CheckFailure(
                kind=kind,
                status=_number(named.get("status")),
                expected=_number(named.get("expected")),
                text=contains if kind is FailureKind.TEXT_MISSING else "",
                seconds=_seconds(milliseconds, max_seconds) if kind is FailureKind.TIMEOUT else None,
                detail=detail,
            )
    return CheckFailure(kind=FailureKind.OTHER, detail=detail)


def _number(text: str | None) -> int | None:
    """None for a list or a range of status codes."""
    return int(text) if text and text.isdigit() else None


def _seconds(milliseconds: str | None, max_seconds: float | None) -> float | None:
    return round(int(milliseconds) / 1000, 1) if milliseconds else max_seconds
