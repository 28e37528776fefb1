"""Which failure an exception of aiohttp stands for."""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator

import aiohttp

from core.outside.check_failure import LONGEST_DETAIL, CheckFailure, FailureKind
from core.outside.decompression import InvalidCompression

# https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/
CERTIFICATE_CODES = {
    9: FailureKind.CERTIFICATE_NOT_YET_VALID,
    10: FailureKind.CERTIFICATE_EXPIRED,
    18: FailureKind.CERTIFICATE_SELF_SIGNED,
    19: FailureKind.CERTIFICATE_SELF_SIGNED,
    2: FailureKind.CERTIFICATE_UNTRUSTED,
    20: FailureKind.CERTIFICATE_UNTRUSTED,
    21: FailureKind.CERTIFICATE_UNTRUSTED,
    62: FailureKind.CERTIFICATE_HOST_MISMATCH,
    64: FailureKind.CERTIFICATE_HOST_MISMATCH,
}
ERROR_NUMBERS = {
    errno.ECONNREFUSED: FailureKind.CONNECTION_REFUSED,
    errno.EHOSTUNREACH: FailureKind.UNREACHABLE,
    errno.ENETUNREACH: FailureKind.UNREACHABLE,
    errno.ETIMEDOUT: FailureKind.TIMEOUT,
}


def failure_of(error: Exception) -> CheckFailure:
    """The failure that `error` means, with the library's text as its detail."""
    for cause in _causes(error):
        # aiohttp has a subclass of its own without a code, which wraps the interpreter's.
        if isinstance(cause, ssl.SSLCertVerificationError) and hasattr(cause, "verify_code"):
            kind = CERTIFICATE_CODES.get(cause.verify_code, FailureKind.CERTIFICATE_INVALID)
            return CheckFailure(kind=kind, detail=cause.verify_message)
    if tls := [cause for cause in _causes(error) if isinstance(cause, ssl.SSLError)]:
        # aiohttp's own SSL errors wrap the interpreter's, and only that one has a reason.
        detail = next((reason for cause in tls if (reason := getattr(cause, "reason", None))), str(error))
        return CheckFailure(kind=FailureKind.TLS, detail=str(detail)[:LONGEST_DETAIL])
    return CheckFailure(kind=_kind(error), detail=_detail(error))


def _kind(error: Exception) -> FailureKind:
    match error:
        case aiohttp.ClientConnectorDNSError():
            return FailureKind.NAME_NOT_FOUND
        case InvalidCompression():
            return FailureKind.INVALID_COMPRESSION
        case aiohttp.ClientConnectorError():
            return ERROR_NUMBERS.get(error.errno or 0, FailureKind.CONNECT_FAILED)
        case aiohttp.ClientResponseError():
            return FailureKind.INVALID_RESPONSE
        case aiohttp.ClientError() if not isinstance(error, ValueError):
            return FailureKind.CONNECTION_CLOSED
        case ValueError():
            return FailureKind.INVALID_ADDRESS
    return FailureKind.CONNECTION_CLOSED


def _detail(error: Exception) -> str:
    text = error.message if isinstance(error, aiohttp.ClientResponseError) else str(error)
    return " ".join(text.split())[:LONGEST_DETAIL]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, and those that it was raised from."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        inner = getattr(cause, "certificate_error", None) or getattr(cause, "os_error", None)
        cause = inner or cause.__cause__ or cause.__context__
