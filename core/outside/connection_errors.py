"""Why an HTTP address did not answer, in words for people: exceptions in, text out."""

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
    errno.EHOSTUNREACH: "there is no way to it in the network",
    errno.ENETUNREACH: "there is no way to it in the network",
    errno.ECONNRESET: "it broke off the connection",
    errno.ETIMEDOUT: "it did not answer in time",
}


def silence_in_words(name: str, error: BaseException) -> str:
    """Who could not be reached, where, and why: without a library's own names, paths or queries."""
    chain = list(_chain(error))
    where = next((host for one in chain if (host := _host(one))), "")
    who = f"{name} at {where}" if where else name
    return f"{who} cannot be reached: {_reason(chain)}"


def _reason(chain: list[BaseException]) -> str:
    """The first that can be told, from what is most to what is least certain."""
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not accepted ({getattr(one, 'verify_message', '') or 'it does not verify'})"
    for one in chain:
        if isinstance(one, requests.exceptions.ProxyError | urllib3.exceptions.ProxyError):
            return "the proxy does not let us through"
        if isinstance(one, socket.gaierror | urllib3.exceptions.NameResolutionError):
            return "its name is not known"
    for one in chain:
        if isinstance(one, OSError) and one.errno in _BY_NUMBER:
            return _BY_NUMBER[one.errno]
    for one in chain:
        if isinstance(one, TimeoutError | requests.exceptions.Timeout | urllib3.exceptions.TimeoutError):
            return "it did not answer in time"
    for one in chain:
        if isinstance(one, ssl.SSLError):
            return f"no secure connection comes about ({_told_by_tls(one)})"
    if any(isinstance(one, _BROKEN) for one in chain):
        return "it broke off the connection"
    return _told(chain[0])


def _chain(error: BaseException, depth: int = 0) -> Iterator[BaseException]:
    """The error and whatever it was raised from, or for: libraries wrap each other's in three ways."""
    yield error
    if depth > 8:
        return
    inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
    for one in inner:
        if isinstance(one, BaseException) and one is not error:
            yield from _chain(one, depth + 1)


def _host(error: BaseException) -> str:
    request = getattr(error, "request", None)
    if url := getattr(request, "url", ""):
        return urlsplit(str(url)).netloc.rpartition("@")[2]
    pool = getattr(error, "pool", None)
    host, port = getattr(pool, "host", ""), getattr(pool, "port", None)
    if not host:
        return ""
    return str(host) if port in (None, 80, 443) else f"{host}:{port}"


def _told_by_tls(error: ssl.SSLError) -> str:
    return str(getattr(error, "reason", None) or "").replace("_", " ").lower() or _told(error)


def _told(error: BaseException) -> str:
    """The error's own words, or the system's, where they are words and not a library's insides."""
    if isinstance(error, OSError) and error.strerror and not isinstance(error, ssl.SSLError):
        return error.strerror
    if (number := re.search(r"\[Errno (\d+)\]", str(error))) is not None:
        return os.strerror(int(number[1]))
    text = " ".join(str(error.args[0] if error.args else "").split())
    is_plain = bool(text) and not re.search(r"Pool\(|Connection\(|object at 0x|Error\(|://", text)
    return text[:_LONGEST] if is_plain else "the connection failed"
