"""Mail is sent in batches: one connection for many messages, each recorded once it is accepted."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import timedelta

from django.conf import settings

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, done, failed, outcome_of
from core.errors import OutsideError
from customers.bounces.services import STOPPED_MESSAGE, record_refusals, reference_of, without_stopped
from customers.mail import Letter, Postbox, RecipientsRefused, get_postbox
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
        to = without_stopped(message=row)
        if row.to and not to:
            return failed(STOPPED_MESSAGE % ", ".join(row.to))
        try:
            rendered = render_mail(row)
            record_refusals(message=row, recipients=postbox.send(letter_of(row, rendered, to)))
        except RecipientsRefused as error:
            record_refusals(message=row, recipients=error.recipients)
            return outcome_of(error)
        except OutsideError as error:
            return outcome_of(error)
        return done("Sent", sent_at=clock.now(), subject=rendered.subject, text=rendered.text, html=rendered.html)


def letter_of(row: Message, rendered: RenderedMail, to: Sequence[str]) -> Letter:
    """The mail as the postbox takes it; its Message-ID belongs to the row, so that a repeat can be recognised.

    Only a mail that staff send once more has another one: it is meant to arrive again.
    """
    host = settings.SITE_URL.split("//")[-1].split(":")[0]
    again = f".{row.wanted_version}" if row.sent_at else ""
    return Letter(
        message_id=f"<{row.key.replace(':', '.')}{again}@{host}>",
        sender=settings.DEFAULT_FROM_EMAIL,
        bounces_to=settings.MAIL_BOUNCES_TO,
        reference=reference_of(row),
        to=tuple(to),
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        attachments=tuple((item["name"], item["path"], item["type"]) for item in row.attachments),
    )


register(MailController())
