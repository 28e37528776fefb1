"""Why an address did not answer: every way in which libraries wrap it, in plain words."""

from __future__ import annotations

import errno
import socket
import ssl
from http.client import RemoteDisconnected
from typing import Any

import pytest
import requests
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ProtocolError,
    ReadTimeoutError,
)

from core.outside.connection_errors import connection_failure

POOL = urllib3.HTTPConnectionPool("cloud.test", 8773)
SECURE = urllib3.HTTPSConnectionPool("cloud.test", 443)
PATH = "/v2?AWSAccessKeyId=AKIA-secret"


def raised(error: BaseException, cause: BaseException) -> Any:
    """The error as `raise … from cause` leaves it."""
    error.__cause__ = cause
    return error


def refused(number: int) -> requests.ConnectionError:
    """What `requests` raises where the socket has refused: three libraries deep."""
    shown = NewConnectionError(Any, f"Failed to establish a new connection: [Errno {number}] …")  # type: ignore[arg-type]
    return requests.ConnectionError(MaxRetryError(POOL, PATH, raised(shown, OSError(number, "…"))))


def unverified() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def mistaken() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


MESSAGES: list[tuple[BaseException, str]] = [
    (refused(errno.ECONNREFUSED), "Cloud at cloud.test:8773 cannot be reached: connection refused"),
    (refused(errno.EHOSTUNREACH), "Cloud at cloud.test:8773 cannot be reached: no route to the host"),
    (
        requests.ConnectionError(MaxRetryError(SECURE, PATH, socket.gaierror(-2, "Name or service not known"))),
        "Cloud at cloud.test cannot be reached: host name not found",
    ),
    (
        requests.ConnectTimeout(MaxRetryError(SECURE, PATH, ConnectTimeoutError(SECURE, "timed out"))),
        "Cloud at cloud.test cannot be reached: the request timed out",
    ),
    (
        requests.ReadTimeout(ReadTimeoutError(POOL, PATH, "Read timed out. (read timeout=30)")),
        "Cloud at cloud.test:8773 cannot be reached: the request timed out",
    ),
    (
        requests.exceptions.SSLError(MaxRetryError(SECURE, PATH, raised(urllib3.exceptions.SSLError(), unverified()))),
        "Cloud at cloud.test cannot be reached: certificate not accepted (self-signed certificate)",
    ),
    (
        requests.exceptions.SSLError(MaxRetryError(SECURE, PATH, raised(urllib3.exceptions.SSLError(), mistaken()))),
        "Cloud at cloud.test cannot be reached: TLS connection failed (wrong version number)",
    ),
    (
        requests.ConnectionError(ProtocolError("Connection aborted.", RemoteDisconnected("Remote end closed"))),
        "Cloud cannot be reached: the connection was closed",
    ),
    (
        requests.exceptions.ProxyError(
            MaxRetryError(SECURE, PATH, urllib3.exceptions.ProxyError("Unable to connect to proxy", OSError("403")))
        ),
        "Cloud at cloud.test cannot be reached: the proxy refused the connection",
    ),
    (ConnectionResetError(errno.ECONNRESET, "reset"), "Cloud cannot be reached: the connection was closed"),
    (TimeoutError(), "Cloud cannot be reached: the request timed out"),
    (OSError(errno.EMFILE, "Too many open files"), "Cloud cannot be reached: Too many open files"),
    (requests.ConnectionError("no luck"), "Cloud cannot be reached: no luck"),
    (requests.ConnectionError(), "Cloud cannot be reached: the connection failed"),
    (
        requests.ConnectionError(f"HTTPSConnectionPool(host='cloud.test', port=443): Max retries exceeded: {PATH}"),
        "Cloud cannot be reached: the connection failed",
    ),
]


@pytest.mark.parametrize(
    ("error", "message"), MESSAGES, ids=[message.rpartition(": ")[2] for _error, message in MESSAGES]
)
def test_silence_is_said_in_words(error: BaseException, message: str) -> None:
    assert connection_failure("Cloud", error) == message


def test_address_is_the_one_that_was_asked_without_what_is_secret_in_it() -> None:
    asked = requests.Request("GET", "https://me:secret@cloud.test:8443/v2?key=secret").prepare()
    error = requests.ConnectTimeout("timed out", request=asked)
    assert connection_failure("Cloud", error) == "Cloud at cloud.test:8443 cannot be reached: the request timed out"
