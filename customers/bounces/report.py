"""A delivery status notification (RFC 3464): which recipients a mail did not reach. Pure: bytes in, values out."""

from __future__ import annotations

import email
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message as Part

from core.text.plain_text import clean_text
from customers.mail import MESSAGE_HEADER

LONGEST = 1024 * 1024
FAILED = "failed"


class NotAReport(ValueError):
    """The mail does not report a failed delivery of ours: an answer, an absence note, a mere delay, or spam."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecipient:
    """An address that the mail did not reach; `original` is the one it was sent to, before any forwarding."""

    address: str
    original: str
    status: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceReport:
    """What a report says; `reference` is the header by which the mail is recognised as ours."""

    reference: str
    recipients: tuple[FailedRecipient, ...]


def read_report(content: bytes) -> BounceReport:
    """The failures that a mail reports; raises NotAReport for every other mail."""
    if len(content) > LONGEST:
        raise NotAReport("The mail is too large for a report.")
    try:
        mail = email.message_from_bytes(content, policy=policy.compat32)
        parts = list(mail.walk())
    except RecursionError as error:
        raise NotAReport("The mail is nested too deeply.") from error
    if mail.get_content_type() != "multipart/report":
        raise NotAReport("The mail is no multipart/report.")
    recipients = tuple(_failures(parts))
    if not recipients:
        raise NotAReport("The report names no recipient for whom delivery has failed.")
    reference = next(filter(None, (_reference_in(part) for part in parts)), "")
    if not reference:
        raise NotAReport("The report does not hold the headers of a mail of ours.")
    return BounceReport(reference=reference, recipients=recipients)


def _failures(parts: list[Part]) -> Iterator[FailedRecipient]:
    for part in parts:
        if part.get_content_type() != "message/delivery-status" or not isinstance(blocks := part.get_payload(), list):
            continue
        for block in blocks:
            if isinstance(block, Part) and _field(block, "Action").lower() == FAILED:
                final = _value(_field(block, "Final-Recipient"))
                yield FailedRecipient(
                    address=final,
                    original=_value(_field(block, "Original-Recipient")) or final,
                    status=_field(block, "Status").split(" ")[0][:20],
                    detail=_value(_field(block, "Diagnostic-Code"))[:1000],
                )


def _reference_in(part: Part) -> str:
    """The header of ours, in a returned mail or in the headers of one."""
    if found := _field(part, MESSAGE_HEADER):
        return found
    if part.get_content_type() != "text/rfc822-headers":
        return ""
    headers = part.get_payload(decode=True)
    return _field(email.message_from_bytes(headers), MESSAGE_HEADER) if isinstance(headers, bytes) else ""


def _field(part: Part, name: str) -> str:
    return " ".join(clean_text(str(part.get(name, ""))).split())


def _value(field: str) -> str:
    """What follows the type of an address or a diagnosis: `rfc822; ann@example.org`."""
    return field.partition(";")[2].strip().strip("<>")
