"""Zabbix's texts, and those of curl that it quotes, mean the same failures as the built-in checker's."""

from __future__ import annotations

import pytest

from core.outside.check_failure import CheckFailure, FailureKind
from monitoring.adapters.zabbix_failures import failure_of_text

K = FailureKind
TEXTS = [
    ('required pattern "certificate" was not found on https://x', K.TEXT_MISSING),
    ("Send failure: Broken pipe", K.CONNECTION_CLOSED),
    ("SSL connection timeout", K.TIMEOUT),
    ("Couldn't resolve host name", K.NAME_NOT_FOUND),
    ("Could not resolve host: certificate.example", K.NAME_NOT_FOUND),
    ("Failed to connect to tls.example port 443 after 1 ms: Connection refused", K.CONNECTION_REFUSED),
    ("connect to 192.0.2.1 port 80 failed: No route to host", K.UNREACHABLE),
    ("Couldn't connect to server", K.CONNECT_FAILED),
    ("SSL certificate problem: certificate has expired", K.CERTIFICATE_EXPIRED),
    ("SSL: no alternative certificate subject name matches target host name 'a'", K.CERTIFICATE_HOST_MISMATCH),
    ("SSL certificate problem: unable to get local issuer certificate", K.CERTIFICATE_UNTRUSTED),
    ("SSL peer certificate or SSH remote key was not OK", K.CERTIFICATE_INVALID),
    ("OpenSSL/3.0: error:0A000126:SSL routines::unexpected eof", K.TLS),
    ("Empty reply from server", K.CONNECTION_CLOSED),
    ("Maximum (10) redirects followed", K.TOO_MANY_REDIRECTS),
    ("PANIC at 10.0.0.7: secret", K.OTHER),
    ("", K.OTHER),
]


@pytest.mark.parametrize(("text", "kind"), TEXTS)
def test_text_is_recognised_and_kept_for_staff(text: str, kind: FailureKind) -> None:
    failure = failure_of_text(text)
    assert (failure.kind, failure.detail) == (kind, text)


def test_status_codes_are_parameters() -> None:
    text = 'response code "503" did not match any of the required status codes "200"'
    assert failure_of_text(text) == CheckFailure(kind=K.STATUS, status=503, expected=200, detail=text)


def test_what_zabbix_leaves_out_comes_from_the_check() -> None:
    assert failure_of_text("required pattern not found", contains="WMS").text == "WMS"
    assert failure_of_text("Timeout was reached", max_seconds=15.0).seconds == 15.0
    assert failure_of_text("Operation timed out after 15001 milliseconds", max_seconds=9.0).seconds == 15.0
