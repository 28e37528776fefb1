"""Reports of failed deliveries are read as RFC 3464 has them; every other mail is none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customers.bounces.report import LONGEST, FailedRecipient, NotAReport, read_report
from tests.customers.bounces.reports import recipient, report


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
def test_the_failed_recipient_and_our_reference_are_found(returned: str) -> None:
    found = read_report(report("7:seal", recipient("gone@example.org"), returned=returned))
    assert found.reference == "7:seal"
    assert found.recipients == (
        FailedRecipient(
            address="gone@example.org", original="gone@example.org", status="5.1.1", detail="550 5.1.1 No such user"
        ),
    )


def test_a_forwarded_mail_keeps_the_address_that_it_was_sent_to() -> None:
    (found,) = read_report(report("7:seal", recipient("ann@elsewhere.example", original="ann@example.org"))).recipients
    assert (found.address, found.original) == ("ann@elsewhere.example", "ann@example.org")


def test_only_recipients_for_whom_delivery_failed_count() -> None:
    content = report(
        "7:seal",
        recipient("late@example.org", action="delayed", status="4.4.1"),
        recipient("<Gone@example.org>", action="Failed"),
        recipient("fine@example.org", action="relayed", status="2.0.0"),
    )
    assert [found.address for found in read_report(content).recipients] == ["Gone@example.org"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no multipart/report"),
        (b"Subject: I am on holiday\n\nBack on Monday.", "no multipart/report"),
        (report("7:seal", recipient("late@example.org", action="delayed")), "no recipient"),
        (report("", recipient("gone@example.org")), "headers of a mail of ours"),
        (report("7:seal", recipient("gone@example.org")) + b" " * LONGEST, "too large"),
    ],
)
def test_other_mail_is_no_report(content: bytes, problem: str) -> None:
    with pytest.raises(NotAReport, match=problem):
        read_report(content)


def test_a_mail_of_thousands_of_nested_parts_is_no_report() -> None:
    nested = b"".join(
        b'Content-Type: multipart/report; boundary="%d"\n\n--%d\n' % (level, level) for level in range(9999)
    )
    with pytest.raises(NotAReport):
        read_report(nested)


def test_control_characters_and_broken_letters_do_not_get_through() -> None:
    content = report("7:seal", recipient("gone@example.org", detail="550 \x00\x1b[31mno")).replace(b"no\n", b"n\xffo\n")
    (found,) = read_report(content).recipients
    assert found.detail.startswith("550 n")
    found.detail.encode()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400))
def test_whatever_arrives_is_a_report_or_none(noise: bytes) -> None:
    content = report("7:seal", recipient("gone@example.org"))
    for mail in (noise, content[:300] + noise + content[300:], content[: len(noise) * 2] + noise):
        try:
            read_report(mail)
        except NotAReport:
            continue
