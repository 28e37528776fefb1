"""The mail server behind Django's e-mail backends (`EMAIL_URL`): the one place where mail leaves."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.files.storage import default_storage
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from core.errors import ConfigError, PermanentError, TransientError


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One mail, ready to go; attachments are (name, path in storage, media type)."""

    message_id: str
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str = ""
    attachments: tuple[tuple[str, str, str], ...] = ()


class Postbox:
    """An open connection that takes letters."""

    def __init__(self, connection: BaseEmailBackend) -> None:
        self._connection = connection

    def send(self, letter: Letter) -> None:
        """The mail server has taken the letter."""
        mail = EmailMultiAlternatives(
            letter.subject, letter.text, letter.sender, list(letter.to), headers={"Message-ID": letter.message_id}
        )
        if letter.html:
            mail.attach_alternative(letter.html, "text/html")
        for name, path, kind in letter.attachments:
            with default_storage.open(path) as file:
                mail.attach(name, file.read(), kind)
        with smtp_errors():
            self._connection.send_messages([mail])


@contextmanager
def get_postbox() -> Iterator[Postbox]:
    """A connection to the mail server, closed afterwards."""
    connection = get_connection()
    with smtp_errors():
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
        codes = [code for code, _ in error.recipients.values()]
        message = f"The mail server refused {', '.join(error.recipients)}"
        raise (PermanentError(message) if all(code >= 500 for code in codes) else TransientError(message)) from error
    except smtplib.SMTPResponseException as error:
        message = f"The mail server answered {error.smtp_code}"
        raise (PermanentError(message) if error.smtp_code >= 500 else TransientError(message)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise TransientError(f"The mail server cannot be reached ({type(error).__name__})") from error
