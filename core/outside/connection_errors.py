"""Turns the exceptions of a failed connection into a short, readable reason."""

from __future__ import annotations

import errno
import os
import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException
from urllib.parse import urlsplit

import requests
import urllib3

_LONGEST = 200
_BROKEN = (ConnectionError, urllib3.exceptions.ProtocolError, HTTPException)
_BY_NUMBER = {
    errno.ECONNREFUSED: "connection refused",
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "no route to the host",
    errno.ECONNRESET: "the connection was closed",
    errno.ETIMEDOUT: "the request timed out",
}


def connection_failure(name: str, error: BaseException) -> str:
    """What could not be reached, at which host, and why; without the library's class names, paths or queries."""
    chain = list(_chain(error))
    where = next((host for cause in chain if (host := _host(cause))), "")
    who = f"{name} at {where}" if where else name
    return f"{who} cannot be reached: {_reason(chain)}"


def _reason(chain: list[BaseException]) -> str:
    """The first reason that applies, from the most to the least certain."""
    for cause in chain:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not accepted ({getattr(cause, 'verify_message', '') or 'verification failed'})"
    for cause in chain:
        if isinstance(cause, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
            return "the proxy refused the connection"
        if isinstance(cause, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return "host name not found"
    for cause in chain:
        if isinstance(cause, OSError) and cause.errno in _BY_NUMBER:
            return _BY_NUMBER[cause.errno]
    for cause in chain:
        if isinstance(cause, TimeoutError | requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
            return "the request timed out"
    for cause in chain:
        if isinstance(cause, ssl.SSLError):
            return f"TLS connection failed ({_tls_reason(cause)})"
    if any(isinstance(cause, _BROKEN) for cause in chain):
        return "the connection was closed"
    return _message_of(chain[0])


def _chain(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """The error and all exceptions that it was raised from or wraps: libraries wrap exceptions in three ways."""
    yield error
    if depth > 8:
        return
    causes = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    for cause in causes:
        if isinstance(cause, BaseException) and cause is not error:
            yield from _chain(cause, depth + 1)


def _host(error: BaseException) -> str:
    request = getattr(error, "request", None)
    if url := getattr(request, "url", ""):
        return urlsplit(str(url)).netloc.rpartition("@")[2]
    pool = getattr(error, "pool", None)
    host, port = getattr(pool, "host", ""), getattr(pool, "port", None)
    if not host:
        return ""
    return str(host) if port in (None, 80, 443) else f"{host}:{port}"


def _tls_reason(error: ssl.SSLError) -> str:
    return str(getattr(error, "reason", None) or "").replace("_", " ").lower() or _message_of(error)


def _message_of(error: BaseException) -> str:
    """The error's own message, or the system's, unless it shows a library's internals."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    if (number := re.search(r"\[Errno (\d+)\]", str(error))) is not None:
        return os.strerror(int(number[1]))
    text = " ".join(str(error.args[0] if error.args else "").split())
    is_plain = bool(text) and not re.search(r"Pool\(|Connection\(|object at 0x|Error\(|://", text)
    return text[:_LONGEST] if is_plain else "the connection failed"
