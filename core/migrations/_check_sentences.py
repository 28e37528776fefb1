"""The English sentences that checks used to store, to and from failures: for migrations only."""

from __future__ import annotations

import re
from typing import Any

# The built-in checker's, whole; what Zabbix said is kept as the detail of "other", and recognised where possible.
SENTENCES: tuple[tuple[str, str, str], ...] = (
    ("status", r"answered (?P<status>\d+) instead of (?P<expected>\d+)", "answered {status} instead of {expected}"),
    ("text_missing", r"answer does not contain '(?P<text>.*)'", "answer does not contain '{text}'"),
    ("timeout", r"did not answer within (?P<seconds>\d+(?:\.\d+)?) s", "did not answer within {seconds:g} s"),
    ("connection_refused", r"connection refused", "connection refused"),
    ("name_not_found", r"name is not known", "name is not known"),
    ("invalid_address", r"not a web address", "not a web address"),
    ("too_many_redirects", r"redirected more than \d+ times", "redirected more than 5 times"),
    ("certificate_expired", r"certificate is not valid: (?P<detail>certificate has expired)", ""),
    ("certificate_not_yet_valid", r"certificate is not valid: (?P<detail>certificate is not yet valid)", ""),
    ("certificate_self_signed", r"certificate is not valid: (?P<detail>self.signed certificate.*)", ""),
    ("certificate_host_mismatch", r"certificate is not valid: (?P<detail>.*mismatch.*)", ""),
    ("certificate_untrusted", r"certificate is not valid: (?P<detail>.*issuer.*)", ""),
    ("certificate_invalid", r"certificate is not valid: (?P<detail>.*)", ""),
    ("tls", r"no secure connection: (?P<detail>.*)", "no secure connection: {detail}"),
    (
        "connection_closed",
        r"connection broke off before the answer was complete",
        "connection broke off before the answer was complete",
    ),
)
NUMBERS = {"status": int, "expected": int, "seconds": float}


def failure_of(sentence: str) -> dict[str, Any] | None:
    """The failure as it is stored; None for a success or nothing."""
    if not sentence or re.fullmatch(r"answered \d+", sentence):
        return None
    for kind, pattern, _form in SENTENCES:
        if (found := re.fullmatch(pattern, sentence, re.DOTALL)) is not None:
            named = {name: NUMBERS.get(name, str)(text) for name, text in found.groupdict().items()}
            return {"kind": kind, **named}
    return {"kind": "other", "detail": sentence[:300]}


def sentence_of(failure: dict[str, Any] | None) -> str:
    """The sentence of the version before, for a migration backwards."""
    if failure is None:
        return ""
    form = next((form for kind, _pattern, form in SENTENCES if kind == failure["kind"]), "")
    if failure["kind"].startswith("certificate_"):
        form = "certificate is not valid: {detail}"
    try:
        return form.format(**failure) or str(failure.get("detail", "")) or "did not answer as promised"
    except (KeyError, ValueError):
        return str(failure.get("detail", "")) or "did not answer as promised"
