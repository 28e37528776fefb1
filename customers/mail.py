"""The mail server behind Django's e-mail backends (`EMAIL_URL`): the one place where mail leaves."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, PermanentError, TransientError
from core.text.plain_text import clean_text

MESSAGE_HEADER = "X-Live-Message"
"""Names the message in reports of mail that comes back (customers.bounces)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail, ready to go; attachments are (name, path in storage, media type).

    Mail that comes back goes to `bounces_to`, or to the sender where it is empty, and is recognised by `reference`.
    """

    message_id: str
    sender: str
    bounces_to: str = ""
    reference: str = ""
    to: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    attachments: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRecipient:
    """An address that the mail server did not take a letter for, with its answer (RFC 5321, section 4.2)."""

    address: str
    code: int
    answer: str


class RecipientsRefused(PermanentError):
    """The mail server took the letter for nobody, and never will."""

    def __init__(self, message: str, recipients: tuple[RefusedRecipient, ...]) -> None:
        super().__init__(message)
        self.recipients = recipients


class Postbox:
    """An open connection that takes letters."""

    def __init__(self, connection: BaseEmailBackend) -> None:
        self._connection = connection

    def send(self, letter: Letter) -> tuple[RefusedRecipient, ...]:
        """The mail server has taken the letter, except for the recipients that are returned."""
        headers = {"Message-ID": letter.message_id}
        if letter.reference:
            headers[MESSAGE_HEADER] = letter.reference
        if letter.bounces_to:
            headers["From"] = letter.sender
        envelope = letter.bounces_to or letter.sender
        mail = EmailMultiAlternatives(letter.subject, letter.text, envelope, list(letter.to), headers=headers)
        if letter.html:
            mail.attach_alternative(letter.html, "text/html")
        for name, path, kind in letter.attachments:
            with default_storage.open(path) as file:
                mail.attach(name, file.read(), kind)
        with timed_call(OutsideSystem.SMTP), smtp_errors():
            self._connection.send_messages([mail])
        return refused_recipients(getattr(self._connection, "refused", {}))


@contextmanager
def get_postbox() -> Iterator[Postbox]:
    """A connection to the mail server, closed afterwards."""
    connection = get_connection()
    with timed_call(OutsideSystem.SMTP), smtp_errors():
        connection.open()
    try:
        yield Postbox(connection)
    finally:
        connection.close()


@contextmanager
def smtp_errors() -> Iterator[None]:
    """SMTP's errors in our words: 4yz may work later, 5yz will not (RFC 5321, section 4.2.1)."""
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigError("The mail server refused the user name or password in EMAIL_URL") from error
    except smtplib.SMTPRecipientsRefused as error:
        refused = refused_recipients(error.recipients)
        message = f"The mail server refused {', '.join(error.recipients)}"
        if all(recipient.code >= 500 for recipient in refused):
            raise RecipientsRefused(message, refused) from error
        raise TransientError(message) from error
    except smtplib.SMTPResponseException as error:
        message = f"The mail server answered {error.smtp_code}"
        raise (PermanentError(message) if error.smtp_code >= 500 else TransientError(message)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"The mail server cannot be reached ({type(error).__name__})") from error


def refused_recipients(answers: Mapping[str, tuple[int, bytes]]) -> tuple[RefusedRecipient, ...]:
    """smtplib's answers in our words."""
    return tuple(
        RefusedRecipient(address=address, code=code, answer=clean_text(answer.decode("utf-8", "replace"), 1000))
        for address, (code, answer) in answers.items()
    )
