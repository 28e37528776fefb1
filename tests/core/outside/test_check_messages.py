"""Failed checks in words for people, whoever made them."""

from __future__ import annotations

import pytest

from core.outside.check_messages import in_words
from core.outside.http_check import HttpCheck, _in_words

ZABBIX = 'response code "503" did not match any of the required status codes "200"'

SAID = [
    (ZABBIX, "answered 503 instead of 200"),
    ("answered 503 instead of 200", "answered 503 instead of 200"),
    ("answered 503", "answered 503"),
    (
        'required pattern "certificate" was not found on https://x',
        "the answer does not contain the text that it should",
    ),
    ("answer does not contain 'WMS'", "the answer does not contain “WMS”"),
    ("did not answer within 15 s", "did not answer within 15 seconds"),
    ("did not answer within 0.5 s", "did not answer within 0.5 seconds"),
    ("Operation timed out after 15001 milliseconds with 0 bytes received", "did not answer within 15 seconds"),
    ("Connection timeout after 3000 ms", "did not answer within 3 seconds"),
    ("Send failure: Broken pipe", "the connection broke off"),
    ("Connection timed out after 1000 ms", "did not answer within 1 second"),
    ("Timeout was reached", "did not answer in time"),
    ("SSL connection timeout", "did not answer in time"),
    ("Couldn't resolve host name", "the name could not be found"),
    ("Could not resolve host: certificate.example", "the name could not be found"),
    ("name is not known", "the name could not be found"),
    ("Failed to connect to tls.example port 443 after 1 ms: Connection refused", "connection refused"),
    ("connect to 192.0.2.1 port 80 failed: No route to host", "the address could not be reached"),
    ("Couldn't connect to server", "no connection could be made"),
    ("SSL certificate problem: certificate has expired", "the certificate has expired"),
    ("certificate is not valid: certificate has expired", "the certificate has expired"),
    ("certificate is not valid: self-signed certificate", "the certificate is self-signed"),
    (
        "SSL: no alternative certificate subject name matches target host name 'a.example'",
        "the certificate is for another name",
    ),
    (
        "certificate is not valid: Hostname mismatch, certificate is not valid for 'a'.",
        "the certificate is for another name",
    ),
    (
        "SSL certificate problem: unable to get local issuer certificate",
        "the certificate was issued by somebody unknown",
    ),
    ("SSL peer certificate or SSH remote key was not OK", "the certificate is not valid"),
    ("OpenSSL/3.0: error:0A000126:SSL routines::unexpected eof", "no secure connection could be made"),
    ("no secure connection: WRONG_VERSION_NUMBER", "no secure connection could be made"),
    ("Empty reply from server", "the connection broke off"),
    ("Recv failure: Connection reset by peer", "the connection broke off"),
    ("connection broke off before the answer was complete", "the connection broke off"),
    ("redirected more than 5 times", "redirected too often"),
    ("Maximum (10) redirects followed", "redirected too often"),
    ("not a web address", "not a web address"),
    ("", ""),
]


@pytest.mark.parametrize(("said", "words"), SAID)
def test_whoever_watches_is_understood(said: str, words: str) -> None:
    assert in_words(said) == words


def test_a_text_that_nobody_knows_is_not_repeated() -> None:
    assert in_words("PANIC at 10.0.0.7: secret") == "did not answer as promised"


def test_a_bare_time_out_says_how_long_was_waited_where_that_is_known() -> None:
    assert in_words("Timeout was reached", max_seconds=15.0) == "did not answer within 15 seconds"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "connection refused"),
        (TimeoutError(), "did not answer within 10 seconds"),
        (ValueError(), "not a web address"),
        (OSError(), "the connection broke off"),
    ],
)
def test_every_text_of_the_built_in_checker_is_understood(error: Exception, words: str) -> None:
    assert in_words(str(_in_words(error, HttpCheck(url="http://a.example"), late=False))) == words
