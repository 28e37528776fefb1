"""Mail is sent in batches: one connection for many messages, each recorded once it is accepted."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import timedelta

from django.conf import settings

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, outcome_of
from core.errors import OutsideError
from customers.mail import Letter, Postbox, get_postbox
from customers.mail_rendering import RenderedMail, render_mail
from customers.models import Message


class MailController(Controller[Message]):
    """Hands written messages to the mail server."""

    name = "mail"
    model = Message
    lease_time = timedelta(seconds=180)
    related = ("customer",)
    max_attempts = 100  # five minutes apart: most of a working day
    batch_size = 50

    def act_each(self, rows: Sequence[Message]) -> Generator[tuple[Message, Outcome], None, None]:
        """Each message was accepted by the mail server, is tried again, or was refused, by itself."""
        with get_postbox() as postbox:
            for row in rows:
                yield row, self._send(postbox, row)

    def _send(self, postbox: Postbox, row: Message) -> Outcome:
        try:
            rendered = render_mail(row)
            postbox.send(letter_of(row, rendered))
        except OutsideError as error:
            return outcome_of(error)
        return done("Sent", sent_at=clock.now(), subject=rendered.subject, text=rendered.text, html=rendered.html)


def letter_of(row: Message, rendered: RenderedMail) -> Letter:
    """The mail as the postbox takes it; its Message-ID belongs to the row, so that a repeat can be recognised.

    Only a mail that staff send once more has another one: it is meant to arrive again.
    """
    host = settings.SITE_URL.split("//")[-1].split(":")[0]
    again = f".{row.wanted_version}" if row.sent_at else ""
    return Letter(
        message_id=f"<{row.key.replace(':', '.')}{again}@{host}>",
        sender=settings.DEFAULT_FROM_EMAIL,
        to=tuple(row.to),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        attachments=tuple((item["name"], item["path"], item["type"]) for item in row.attachments),
    )


register(MailController())
