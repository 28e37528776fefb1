"""What whoever asked an address said of its answer, in words for people: one vocabulary, whoever watches. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

Words = str | Promise
Told = Mapping[str, str]

OTHERWISE = _("did not answer as promised")
TOO_LATE = _("did not answer in time")


def _too_late(told: Told) -> str:
    seconds = float(told["seconds"]) if told.get("seconds") else float(told["milliseconds"]) / 1000
    time = f"{round(seconds, 1):g}"
    words = ngettext(
        "did not answer within %(time)s second", "did not answer within %(time)s seconds", 1 if time == "1" else 2
    )
    return words % {"time": time}


def _status(told: Told) -> Words:
    return _("answered %(seen)s instead of %(wanted)s") % told


def _bare_status(told: Told) -> Words:
    return _("answered %(seen)s") % told


def _text(told: Told) -> Words:
    return _("the answer does not contain “%(text)s”") % told


# The built-in checker's own texts, Zabbix's, and those of curl (https://curl.se/libcurl/c/libcurl-errors.html), which
# Zabbix quotes. The first that is found is what people read: what may quote anything stands first, and what a host's
# name might contain stands last.
SAID: tuple[tuple[str, Words | Callable[[Told], Words]], ...] = (
    (r'response code "(?P<seen>\d+)" did not match any of the required status codes "(?P<wanted>[^"]*)', _status),
    (r"^answered (?P<seen>\d+) instead of (?P<wanted>\d+)", _status),
    (r"^answered (?P<seen>\d+)$", _bare_status),
    (r"^answer does not contain '(?P<text>.*)'$", _text),
    (r"required pattern", _("the answer does not contain the text that it should")),
    (r"^did not answer within (?P<seconds>\d+(?:\.\d+)?) s", _too_late),
    (r"(?:timed out|timeout) after (?P<milliseconds>\d+) (?:ms|milliseconds)", _too_late),
    (r"name is not known|(?:could not|couldn't) resolve", _("the name could not be found")),
    (r"connection refused", _("connection refused")),
    (r"no route to host|network is unreachable", _("the address could not be reached")),
    (r"time-?out|timed out", TOO_LATE),
    (r"failed to connect|(?:could not|couldn't) connect", _("no connection could be made")),
    (
        r"broke off|reset by peer|empty reply|returned nothing|the peer$|(?:recv|send) failure|partial",
        _("the connection broke off"),
    ),
    (r"redirect", _("redirected too often")),
    (r"not a web address|malformed|illegal format", _("not a web address")),
    (r"certificate has expired", _("the certificate has expired")),
    (r"certificate is not yet valid", _("the certificate is not valid yet")),
    (r"self.signed certificate", _("the certificate is self-signed")),
    (r"hostname mismatch|does not match|doesn't match|no alternative", _("the certificate is for another name")),
    (r"issuer", _("the certificate was issued by somebody unknown")),
    (r"certificate|CA cert", _("the certificate is not valid")),
    (r"SSL|TLS|no secure connection", _("no secure connection could be made")),
)
KNOWN = tuple((re.compile(pattern, re.IGNORECASE | re.DOTALL), words) for pattern, words in SAID)


def in_words(said: str, *, max_seconds: float | None = None) -> str:
    """What `said` means to people; nothing of a text that nobody knows, which may name anything.

    `max_seconds` is how long was waited, where a time-out itself does not tell.
    """
    if not said:
        return ""
    for pattern, words in KNOWN:
        if (found := pattern.search(said)) is None:
            continue
        if words is TOO_LATE and max_seconds:
            return _too_late({"seconds": str(max_seconds)})
        return str(words(found.groupdict()) if callable(words) else words)
    return str(OTHERWISE)
