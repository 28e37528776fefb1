"""Bounces are kept once; addresses that do not work are written to no more until they are confirmed."""

from __future__ import annotations

import smtplib
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from pytest_django import Settings

from core import clock
from core.engine.controller import work
from customers.bounces.report import NotAReport
from customers.bounces.services import (
    AddressNotStopped,
    confirm_address,
    confirm_by_use,
    mail_problems_of,
    record_refusals,
    record_report,
    reference_of,
    stopped_among,
)
from customers.erasure.services import anonymise_customer
from customers.mail import RefusedRecipient
from customers.models import Bounce, Customer, MailAddress, Message
from customers.services import resend_message
from customers.smtp import NotingSMTP, SmtpBackend
from tests.customers.bounces.conftest import GONE, Write
from tests.customers.bounces.reports import recipient, report, report_about
from tests.customers.test_mail import FakeServer
from tests.customers.test_mail import server as fake_server
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
server = fake_server


def stop(write: Write) -> MailAddress:
    """Three messages to the address came back."""
    for _ in range(3):
        record_report(report_about(write()))
    return MailAddress.objects.get(address=GONE)


def test_mail_says_where_it_came_from_and_which_message_it_is(write: Write, settings: Settings) -> None:
    settings.MAIL_BOUNCES_TO = "bounces@live.example"
    message = write()
    work("mail", [message.pk])
    (sent,) = mail.outbox
    assert sent.from_email == "bounces@live.example"
    assert sent.extra_headers["From"] == settings.DEFAULT_FROM_EMAIL
    assert sent.extra_headers["X-Live-Message"] == reference_of(message)


def test_without_an_address_for_bounces_the_sender_gets_them(write: Write, settings: Settings) -> None:
    work("mail", [write().pk])
    assert mail.outbox[0].from_email == settings.DEFAULT_FROM_EMAIL
    assert "From" not in mail.outbox[0].extra_headers


def test_report_is_kept_once_however_often_it_arrives(write: Write) -> None:
    message = write()
    record_report(report_about(message))
    record_report(report_about(message))
    bounce = Bounce.objects.get()
    message.refresh_from_db()
    assert (bounce.message, bounce.address, bounce.kind, bounce.status) == (message, GONE, "hard", "5.1.1")
    assert message.bounced_at is not None
    assert MailAddress.objects.get().stopped_at is None


@pytest.mark.parametrize("reference", ["1:forged", "1", "", "\u2028"])
def test_report_about_a_message_that_is_not_ours_is_refused(write: Write, reference: str) -> None:
    write()
    with pytest.raises(NotAReport):
        record_report(report(reference, recipient(GONE)))
    assert not Bounce.objects.exists()


def test_report_about_a_message_that_is_gone_is_refused(write: Write) -> None:
    message = write()
    content = report_about(message)
    message.delete()
    with pytest.raises(NotAReport, match="not kept any more"):
        record_report(content)


def test_report_counts_against_nobody_whom_the_mail_was_not_sent_to(write: Write) -> None:
    message = write(GONE, "bo@example.org")
    with pytest.raises(NotAReport, match="nobody"):
        record_report(report(reference_of(message), recipient("victim@example.org")))
    assert not MailAddress.objects.exists()


def test_only_recipient_who_forwards_is_the_one_that_did_not_get_it(write: Write) -> None:
    (bounce,) = record_report(report(reference_of(write()), recipient("elsewhere@example.net")))
    assert bounce.address == GONE


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *(("5.1.1", "hard"), ("5.1.10", "hard"), ("5.2.1", "hard"), ("5.4.4", "hard"), ("5.0.0", "hard")),
        *(("5.2.2", "soft"), ("5.7.1", "soft"), ("4.4.7", "soft"), ("", "soft"), ("nonsense", "soft")),
    ],
)
def test_only_a_fault_of_the_address_counts_against_it(write: Write, status: str, kind: str) -> None:
    (bounce,) = record_report(report_about(write(), status=status))
    assert bounce.kind == kind
    assert MailAddress.objects.exists() is (kind == "hard")


@pytest.mark.parametrize(
    ("code", "answer", "kind", "status"),
    [
        (550, "5.1.1 No such user", "hard", "5.1.1"),
        (550, "no such user here", "hard", "550"),
        (550, "5.7.1 looks like spam", "soft", "5.7.1"),
        (552, "mailbox is full", "soft", "552"),
        (450, "4.2.0 greylisted", "soft", "4.2.0"),
    ],
)
def test_refusal_at_once_is_read_the_same_way(write: Write, code: int, answer: str, kind: str, status: str) -> None:
    message = write()
    for _ in range(2):
        record_refusals(message=message, recipients=[RefusedRecipient(address=GONE, code=code, answer=answer)])
    bounce = Bounce.objects.get()
    assert (bounce.kind, bounce.status, bounce.detail) == (kind, status, answer)


def test_message_that_the_server_refuses_has_failed_and_come_back(
    write: Write,
    server: type[FakeServer],
) -> None:
    message = write()
    server.errors[GONE] = smtplib.SMTPRecipientsRefused({GONE: (550, b"5.1.1 \x00unknown \xff")})
    work("mail", [message.pk])
    message.refresh_from_db()
    assert message.has_failed
    assert message.bounces.get().detail.startswith("5.1.1 unknown")


def test_refusal_that_may_pass_is_no_bounce(write: Write, server: type[FakeServer]) -> None:
    message = write()
    server.errors[GONE] = smtplib.SMTPRecipientsRefused({GONE: (450, b"4.2.0 later")})
    work("mail", [message.pk])
    message.refresh_from_db()
    assert not message.has_failed
    assert not Bounce.objects.exists()


def test_recipient_who_is_left_out_of_a_mail_that_leaves_is_noted(
    write: Write,
    server: type[FakeServer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = write(GONE, "bo@example.org")
    monkeypatch.setattr(server, "refused", {GONE: (550, b"5.1.1 unknown")}, raising=False)
    work("mail", [message.pk])
    message.refresh_from_db()
    assert message.sent_at is not None
    assert [bounce.address for bounce in message.bounces.all()] == [GONE]


def test_smtp_client_keeps_the_refusals_of_the_last_mail_only(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([{GONE: (550, b"unknown")}, {}])
    monkeypatch.setattr(smtplib.SMTP, "sendmail", lambda *_args: next(answers))
    backend = SmtpBackend(host="mail.example.org")
    client = NotingSMTP(local_hostname="live.example")
    assert backend.refused == {}
    backend.connection = client
    client.sendmail("live@example.org", [GONE], b"")
    assert backend.refused == {GONE: (550, b"unknown")}
    client.sendmail("live@example.org", [GONE], b"")
    assert backend.refused == {}


@pytest.mark.parametrize(("use_ssl", "client"), [(False, "NotingSMTP"), (True, "NotingSMTPOverTLS")])
def test_smtp_client_fits_the_settings(use_ssl: bool, client: str) -> None:
    assert SmtpBackend(use_ssl=use_ssl, use_tls=False).connection_class.__name__ == client


def test_third_message_that_comes_back_stops_mail_to_the_address(write: Write) -> None:
    for count in (1, 2, 3):
        record_report(report_about(write()))
        assert stopped_among([GONE.upper(), "bo@example.org"]) == ({GONE} if count == 3 else set())


def test_one_message_refused_at_once_and_reported_counts_once(write: Write, settings: Settings) -> None:
    settings.MAIL_STOP_AFTER_BOUNCES = 2
    message = write()
    record_refusals(message=message, recipients=[RefusedRecipient(address=GONE, code=550, answer="5.1.1 no")])
    record_report(report_about(message))
    assert stopped_among([GONE]) == set()


def test_nothing_is_sent_to_a_stopped_address_and_others_get_theirs(write: Write) -> None:
    stop(write)
    alone, shared = write(), write(GONE.title(), "bo@example.org")
    work("mail", [alone.pk, shared.pk])
    alone.refresh_from_db()
    assert (alone.has_failed, "is stopped" in alone.last_error) == (True, True)
    assert mail.outbox[-1].to == ["bo@example.org"]
    assert all(GONE not in sent.to for sent in mail.outbox)
    assert shared.bounces.get().kind == "held"
    assert mail_problems_of([GONE])[0].stopped_at is not None


def test_confirmed_address_gets_mail_again_and_earlier_bounces_no_longer_count(write: Write) -> None:
    address = stop(write)
    with time_machine.travel(clock.now() + timedelta(hours=1), tick=False):
        confirm_address(address=address)
        assert mail_problems_of([GONE]) == []
    with time_machine.travel(clock.now() + timedelta(hours=2), tick=False):
        message = write()
        work("mail", [message.pk])
        assert mail.outbox[-1].to == [GONE]
        record_report(report_about(message))
        assert stopped_among([GONE]) == set()
        assert [row.address for row in mail_problems_of([GONE])] == [GONE]


def test_message_that_was_held_can_be_sent_again_once_the_address_is_confirmed(write: Write) -> None:
    address = stop(write)
    message = write()
    work("mail", [message.pk])
    confirm_address(address=address)
    resend_message(message=message)
    work("mail", [message.pk])
    message.refresh_from_db()
    assert message.sent_at is not None


def test_address_that_is_not_stopped_cannot_be_confirmed(write: Write) -> None:
    record_report(report_about(write()))
    with pytest.raises(AddressNotStopped):
        confirm_address(address=MailAddress.objects.get())


def test_reading_a_code_confirms_only_that_address(write: Write) -> None:
    stop(write)
    confirm_by_use("somebody@example.org")
    assert stopped_among([GONE]) == {GONE}
    confirm_by_use(GONE.upper())
    assert stopped_among([GONE]) == set()


def test_old_bounces_are_not_shown_for_ever(write: Write) -> None:
    record_report(report_about(write()))
    assert mail_problems_of([GONE])
    with time_machine.travel(clock.now() + timedelta(days=31)):
        assert mail_problems_of([GONE]) == []


def test_anonymised_customer_leaves_no_address_behind(write: Write, customer: Customer) -> None:
    stop(write)
    anonymise_customer(customer=customer, actor=UserFactory(is_staff=True), why="asked for it")
    assert not Bounce.objects.exists()
    assert not MailAddress.objects.exists()
    assert Message.objects.filter(customer=customer).exists()
