"""A failed check in words, translated when it is shown."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.outside.check_failure import CheckFailure, FailureKind

MESSAGES: dict[FailureKind, Promise] = {
    FailureKind.NAME_NOT_FOUND: gettext_lazy("Host name not found"),
    FailureKind.CONNECTION_REFUSED: gettext_lazy("Connection refused"),
    FailureKind.UNREACHABLE: gettext_lazy("Host unreachable"),
    FailureKind.CONNECT_FAILED: gettext_lazy("Could not connect"),
    FailureKind.CONNECTION_CLOSED: gettext_lazy("Connection closed before the response was complete"),
    FailureKind.INVALID_RESPONSE: gettext_lazy("Invalid HTTP response"),
    FailureKind.INVALID_COMPRESSION: gettext_lazy("Response could not be decompressed"),
    FailureKind.TOO_MANY_REDIRECTS: gettext_lazy("Too many redirects"),
    FailureKind.REDIRECT_BLOCKED: gettext_lazy("Redirect to a private address blocked"),
    FailureKind.ADDRESS_BLOCKED: gettext_lazy("Address blocked"),
    FailureKind.INVALID_ADDRESS: gettext_lazy("Not a valid web address"),
    FailureKind.CERTIFICATE_EXPIRED: gettext_lazy("Certificate has expired"),
    FailureKind.CERTIFICATE_NOT_YET_VALID: gettext_lazy("Certificate is not valid yet"),
    FailureKind.CERTIFICATE_SELF_SIGNED: gettext_lazy("Certificate is self-signed"),
    FailureKind.CERTIFICATE_HOST_MISMATCH: gettext_lazy("Certificate is for a different host name"),
    FailureKind.CERTIFICATE_UNTRUSTED: gettext_lazy("Certificate issuer is not trusted"),
    FailureKind.CERTIFICATE_INVALID: gettext_lazy("Certificate is not valid"),
    FailureKind.TLS: gettext_lazy("TLS connection failed"),
    FailureKind.OTHER: gettext_lazy("Check failed"),
}


def failure_message(failure: CheckFailure | None, *, max_seconds: float | None = None) -> str:
    """One line for customers and staff; empty without a failure. It never repeats the technical detail.

    `max_seconds` is the check's limit, for a time-out that does not carry its own.
    """
    if failure is None:
        return ""
    match failure.kind:
        case FailureKind.STATUS:
            return _status(failure)
        case FailureKind.TEXT_MISSING if failure.text:
            return _("Expected text “%(text)s” not found in the response") % {"text": failure.text}
        case FailureKind.TEXT_MISSING:
            return _("Expected text not found in the response")
        case FailureKind.TIMEOUT:
            return _timeout(failure.seconds or max_seconds)
    return str(MESSAGES[failure.kind])


def success_message(status: int) -> str:
    """What is shown of a check that passed."""
    return _("HTTP %(status)s") % {"status": status}


def _status(failure: CheckFailure) -> str:
    if failure.expected is None:
        return _("HTTP %(status)s") % {"status": failure.status}
    return _("HTTP %(status)s instead of %(expected)s") % {"status": failure.status, "expected": failure.expected}


def _timeout(seconds: float | None) -> str:
    if not seconds:
        return _("Timed out")
    time = f"{round(seconds, 1):g}"
    message = ngettext("Timed out after %(time)s second", "Timed out after %(time)s seconds", 1 if time == "1" else 2)
    return message % {"time": time}
