"""Mail leaves in batches: one connection for many messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings

from core import clock
from core.engine.controller import Controller, Outcome, done, outcome_of, register
from core.errors import OutsideError
from customers.mail import Letter, Postbox, get_postbox
from customers.models import Message


class MailController(Controller[Message]):
    """Hands written messages to the mail server."""

    name = "mail"
    model = Message
    lease_time = timedelta(seconds=180)
    max_attempts = 100  # with rests of five minutes: most of a working day
    batch_size = 50

    def act_many(self, rows: Sequence[Message]) -> Mapping[int, Outcome]:
        """Each message was taken by the mail server, rests, or was refused, by itself."""
        try:
            with get_postbox() as postbox:
                return {row.pk: self._send(postbox, row) for row in rows}
        except OutsideError as error:
            return {row.pk: outcome_of(error) for row in rows}

    def _send(self, postbox: Postbox, row: Message) -> Outcome:
        try:
            postbox.send(letter_of(row))
        except OutsideError as error:
            return outcome_of(error)
        return done("Sent", sent_at=clock.now())


def letter_of(row: Message) -> Letter:
    """The row as the postbox takes it; its Message-ID is the row's, so a repeat can be known as one."""
    host = settings.SITE_URL.split("//")[-1].split(":")[0]
    return Letter(
        message_id=f"<{row.key.replace(':', '.')}@{host}>",
        sender=settings.DEFAULT_FROM_EMAIL,
        to=tuple(row.to),
        subject=row.subject,
        text=row.text,
        html=row.html,
        attachments=tuple((item["name"], item["path"], item["type"]) for item in row.attachments),
    )


register(MailController())
