"""Django's SMTP backend, which also notes the recipients that the server refused while it took the mail for others."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

Refused = dict[str, tuple[int, bytes]]


class NotingRefusals:
    """Mixed into smtplib's clients: `refused` is what the last mail's `sendmail` returned."""

    refused: Refused

    def sendmail(
        self,
        from_addr: str,
        to_addrs: str | Sequence[str],
        msg: Any,
        mail_options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> Refused:
        """The mail was taken for at least one recipient; those that were refused are noted and returned."""
        self.refused = {}
        self.refused = super().sendmail(from_addr, to_addrs, msg, mail_options, rcpt_options)  # type: ignore[misc]
        return self.refused


class NotingSMTP(NotingRefusals, smtplib.SMTP):
    """A client for plain connections and STARTTLS."""


class NotingSMTPOverTLS(NotingRefusals, smtplib.SMTP_SSL):
    """A client for connections that begin with TLS."""


class SmtpBackend(EmailBackend):
    """Sends by SMTP; `refused` says who was left out of the last mail."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """The client that notes refusals."""
        return NotingSMTPOverTLS if self.use_ssl else NotingSMTP

    @property
    def refused(self) -> Refused:
        """The recipients that were refused, with the server's answers."""
        return getattr(self.connection, "refused", {})
