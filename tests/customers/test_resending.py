"""Mail that staff send once more."""

from __future__ import annotations

import pytest
from django.core import mail

from core import clock
from core.engine.controller import work
from customers.choices import MailKind
from customers.models import Message
from customers.services import NothingToChange, resend_message, write_message
from tests.factories import make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def message() -> Message:
    order = make_draft(name="Dikes")
    message = write_message(
        key="order:1:active",
        customer=order.customer,
        kind=MailKind.ACTIVE,
        template="orders/mail/active",
        context={"order": order},
    )
    assert message is not None
    return message


def test_a_mail_that_was_sent_arrives_again_as_it_was(message: Message) -> None:
    work("mail", [message.pk])
    message.refresh_from_db()
    message.context["order"] = {"row": "orders.order", "pk": 0}  # gone meanwhile
    message.save(update_fields=("context",))
    resend_message(message=message)
    work("mail", [message.pk])
    first, second = mail.outbox
    assert (first.subject, first.body) == (second.subject, second.body)
    ids = [letter.extra_headers["Message-ID"] for letter in mail.outbox]
    assert ids[0] != ids[1]


def test_a_mail_that_waits_is_not_sent_twice(message: Message) -> None:
    with pytest.raises(NothingToChange, match="waiting to be sent"):
        resend_message(message=message)


def test_a_refused_mail_keeps_its_id_so_that_a_repeat_is_recognised(message: Message) -> None:
    Message.objects.filter(pk=message.pk).update(failed_version=1, next_attempt_at=None, last_error="refused")
    resend_message(message=message)
    work("mail", [message.pk])
    (sent,) = mail.outbox
    assert sent.extra_headers["Message-ID"].startswith("<order.1.active@")
    message.refresh_from_db()
    assert message.sent_at is not None
    assert message.sent_at <= clock.now()
