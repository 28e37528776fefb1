"""Delivery status notifications as mail servers write them (RFC 3464)."""

from __future__ import annotations

from customers.bounces.services import reference_of
from customers.models import Message

REPORT = """\
From: MAILER-DAEMON@mx.example.net (Mail Delivery System)
To: bounces@live.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
Arrival-Date: Fri, 27 Nov 2026 10:00:00 +0000

{recipients}
--B
Content-Type: {returned}

Message-ID: <order.GL1.active@testserver>
Subject: Your order is ready
X-Live-Message: {reference}

--B--
"""
RECIPIENT = """\
Final-Recipient: rfc822; {final}
{original}Action: {action}
Status: {status}
Diagnostic-Code: smtp; {detail}
"""


def recipient(
    final: str,
    *,
    original: str = "",
    action: str = "failed",
    status: str = "5.1.1",
    detail: str = "550 5.1.1 No such user",
) -> str:
    """What a report says of one recipient."""
    line = f"Original-Recipient: rfc822;{original}\n" if original else ""
    return RECIPIENT.format(final=final, original=line, action=action, status=status, detail=detail)


def report(reference: str, *recipients: str, returned: str = "text/rfc822-headers") -> bytes:
    """A whole report."""
    return REPORT.format(reference=reference, recipients="\n".join(recipients), returned=returned).encode()


def report_about(message: Message, status: str = "5.1.1") -> bytes:
    """The message did not reach its first address."""
    return report(reference_of(message), recipient(message.to[0], status=status))
