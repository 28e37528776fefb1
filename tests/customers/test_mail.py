"""Mail leaves once, in batches, and each message ends by itself."""

from __future__ import annotations

import json
import smtplib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
import time_machine
from django.core import mail
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from pytest_django import Settings

from core import clock
from core.engine.controller import enqueue_due, work
from customers.choices import MailKind
from customers.mail_rendering import pack, render_mail, unpack
from customers.models import Customer, Message
from customers.services import write_message
from customers.tasks import MailController
from orders.models import Order
from tests.factories import CustomerFactory, make_draft

pytestmark = pytest.mark.django_db


class FakeServer(BaseEmailBackend):
    """A mail server that notes what it takes and refuses what it is told to."""

    opened = 0
    taken: ClassVar[list[EmailMessage]] = []
    errors: ClassVar[dict[str, BaseException]] = {}
    closed_for: ClassVar[Exception | None] = None

    @staticmethod
    def on_mail() -> None:
        """What a test lets happen when a message was taken."""

    def open(self) -> bool:
        """A connection, unless the server is down."""
        type(self).opened += 1
        if FakeServer.closed_for is not None:
            raise FakeServer.closed_for
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """The messages are taken."""
        for message in email_messages:
            if error := self.errors.get(message.to[0]):
                raise error
            self.taken.append(message)
            FakeServer.on_mail()
        return len(email_messages)


@pytest.fixture
def server(settings: Settings) -> Iterator[type[FakeServer]]:
    """The fake mail server, fresh."""
    settings.EMAIL_BACKEND = f"{FakeServer.__module__}.FakeServer"
    FakeServer.opened, FakeServer.closed_for = 0, None
    FakeServer.taken.clear()
    FakeServer.errors.clear()
    yield FakeServer
    FakeServer.closed_for = None


def write(number: int = 1, to: str = "", **fields: Any) -> Message:
    """A message that is due."""
    customer = CustomerFactory.create()
    return Message.objects.create(
        key=f"order:GL{number}:active",
        customer=customer,
        to=[to or customer.email],
        subject="Ready",
        text="Your order is ready.",
        html="<p>Your order is ready.</p>",
        next_attempt_at=clock.now(),
        **fields,
    )


def test_message_is_sent_once_when_run_twice() -> None:
    message = write()
    work("mail", [message.pk])
    work("mail", [message.pk])
    (sent,) = mail.outbox
    message.refresh_from_db()
    assert message.sent_at is not None
    assert message.is_settled
    assert sent.to == message.to
    assert sent.extra_headers["Message-ID"] == "<order.GL1.active@testserver>"


def test_message_that_another_worker_holds_is_left_alone() -> None:
    message = write()
    first, second = MailController(), MailController()
    lease, rows = first._claim([message.pk])
    assert second.run([message.pk]) == 0
    first._visit_each(lease, rows)
    assert second.run([message.pk]) == 0
    assert len(mail.outbox) == 1


def test_many_messages_leave_over_one_connection(server: type[FakeServer]) -> None:
    messages = [write(number) for number in range(7)]
    work("mail", [messages[0].pk])
    assert (server.opened, len(server.taken)) == (1, 7)
    assert Message.objects.filter(sent_at__isnull=True).count() == 0


def test_worker_that_is_killed_in_the_middle_doubles_no_mail(server: type[FakeServer]) -> None:
    messages = [write(number, to=f"{number}@example.org") for number in range(6)]
    server.errors["3@example.org"] = SystemExit(9)  # what ends a worker that takes too long
    with pytest.raises(SystemExit):
        work("mail", [messages[0].pk])
    server.errors.clear()
    Message.objects.filter(sent_at__isnull=True).update(leased_until=None)  # once the lease of the killed one is over
    work("mail", [messages[0].pk])
    assert Counter(mail.to[0] for mail in server.taken) == {f"{number}@example.org": 1 for number in range(6)}


def test_slow_server_gets_each_mail_once_over_several_visits(
    server: type[FakeServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        write(number, to=f"{number}@example.org")
    moments = [clock.now()]
    monkeypatch.setattr("core.clock.now", lambda: moments[-1])
    monkeypatch.setattr(FakeServer, "on_mail", lambda: moments.append(moments[-1] + timedelta(seconds=4)))
    visits = 0
    while Message.objects.filter(sent_at__isnull=True).exists():
        begun, visits = moments[-1], visits + 1
        work("mail", [])
        assert moments[-1] - begun < MailController().holds_for * 0.9  # or the queue would end the task
    assert visits == 3
    assert Counter(mail.to[0] for mail in server.taken) == {f"{number}@example.org": 1 for number in range(60)}
    assert set(Message.objects.values_list("attempts", "leased_until")) == {(0, None)}


def test_refused_recipient_fails_alone(server: type[FakeServer]) -> None:
    good, bad = write(1), write(2, to="nobody@example.org")
    server.errors["nobody@example.org"] = smtplib.SMTPRecipientsRefused({"nobody@example.org": (550, b"no such user")})
    work("mail", [good.pk, bad.pk])
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.sent_at is not None
    assert (bad.has_failed, bad.sent_at) == (True, None)
    assert bad.last_error == "The mail server refused nobody@example.org"


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPServerDisconnected("bye"),
        smtplib.SMTPResponseException(451, b"try later"),
        smtplib.SMTPRecipientsRefused({"a@example.org": (450, b"greylisted")}),
        TimeoutError("slow"),
    ],
)
def test_server_that_may_recover_lets_the_message_rest(server: type[FakeServer], error: Exception) -> None:
    message = write(to="a@example.org")
    server.errors["a@example.org"] = error
    with time_machine.travel(clock.now(), tick=False) as traveller:
        work("mail", [message.pk])
        message.refresh_from_db()
        assert not message.has_failed
        assert message.last_error.startswith("The mail server")
        assert message.next_attempt_at is not None
        assert message.next_attempt_at > clock.now()
        assert work("mail", [message.pk]) == 0
        server.errors.clear()
        traveller.move_to(message.next_attempt_at)
        work("mail", [message.pk])
    message.refresh_from_db()
    assert message.sent_at is not None
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("error", "fails", "text"),
    [
        (ConnectionRefusedError(), False, "cannot be reached (ConnectionRefusedError)"),
        (smtplib.SMTPAuthenticationError(535, b"secret inside"), True, "refused the user name or password"),
        (smtplib.SMTPConnectError(554, b"no"), True, "answered 554"),
        (smtplib.SMTPConnectError(421, b"busy"), False, "answered 421"),
    ],
)
def test_connection_that_is_not_there_ends_every_message_alike(
    server: type[FakeServer], error: Exception, fails: bool, text: str
) -> None:
    messages = [write(1), write(2)]
    server.closed_for = FakeServer.closed_for = error
    work("mail", [message.pk for message in messages])
    for message in Message.objects.all():
        assert message.has_failed is fails
        assert text in message.last_error
        assert "secret inside" not in message.last_error


def test_invoice_goes_along_as_an_attachment() -> None:
    path = default_storage.save("invoices/2026-1.pdf", ContentFile(b"%PDF-1.7 test"))
    write(attachments=[{"name": "2026-1.pdf", "path": path, "type": "application/pdf"}])
    work("mail", [Message.objects.get().pk])
    (sent,) = mail.outbox
    assert isinstance(sent, EmailMultiAlternatives)
    assert sent.attachments == [("2026-1.pdf", b"%PDF-1.7 test", "application/pdf")]
    assert [tuple(part) for part in sent.alternatives] == [("<p>Your order is ready.</p>", "text/html")]


def test_row_that_is_gone_is_no_error() -> None:
    message = write()
    Message.objects.all().delete()
    assert work("mail", [message.pk]) == 0


def test_lost_request_is_found_by_the_sweep() -> None:
    message = write()
    enqueue_due()
    message.refresh_from_db()
    assert message.queued_at is not None


def order_mail(order: Order, **context: object) -> Message:
    """The mail about an order that has become active."""
    message = write_message(
        key=f"order:{order.reference}:active",
        customer=order.customer,
        kind=MailKind.ACTIVE,
        template="orders/mail/active",
        context={"order": order, **context},
    )
    assert message is not None
    return message


def test_mail_is_rendered_by_the_worker_in_the_customers_language_and_kept_as_sent() -> None:
    order = make_draft(name="Dikes")
    message = order_mail(order)
    assert (message.subject, message.text, message.html) == ("", "", "")
    assert message.context == {"order": {"row": "orders.order", "pk": order.pk}}
    Order.objects.update(name="Dikes of Delft")
    work("mail", [message.pk])
    message.refresh_from_db()
    (sent,) = mail.outbox
    assert sent.subject == message.subject == "“Dikes of Delft” is ready"
    assert sent.body == message.text
    Order.objects.update(name="Later")
    assert render_mail(message).text == sent.body, "what was sent stays as it was"


def test_mail_about_a_row_that_is_gone_fails_alone_and_says_so() -> None:
    order = make_draft()
    gone, other = order_mail(order, more=[order]), write(2)
    Message.objects.filter(pk=gone.pk).update(context={"order": {"row": "orders.order", "pk": 999}})
    work("mail", [gone.pk, other.pk])
    gone.refresh_from_db()
    other.refresh_from_db()
    assert (gone.has_failed, gone.sent_at) == (True, None)
    assert gone.last_error.startswith("The mail is about something that no longer exists")
    assert other.sent_at is not None


def test_mail_whose_template_is_gone_fails_and_says_so() -> None:
    message = write(1, template="orders/mail/nothing")
    work("mail", [message.pk])
    message.refresh_from_db()
    assert message.has_failed
    assert "orders/mail/nothing" in message.last_error


def test_mail_that_was_rendered_by_the_version_before_is_sent_as_it_is() -> None:
    message = write()
    work("mail", [message.pk])
    assert mail.outbox[0].body == "Your order is ready."


@pytest.mark.parametrize(
    "value",
    [None, True, 7, 1.5, "é", date(2026, 6, 1), datetime(2026, 6, 1, 8, tzinfo=UTC), Decimal("1.10"), [1, ["a"]]],
)
def test_values_of_a_context_come_back_as_they_were(value: object) -> None:
    assert unpack(json.loads(json.dumps(pack({"key": value})))) == {"key": value}


def test_rows_of_a_context_are_read_again() -> None:
    customer = CustomerFactory.create()
    packed = json.loads(json.dumps(pack([customer, Customer.objects.all()])))
    assert unpack(packed) == [customer, [customer]]


def test_what_cannot_be_kept_is_refused_when_the_mail_is_written() -> None:
    with pytest.raises(TypeError, match="object cannot be kept"):
        order_mail(make_draft(), more=object())
