"""`manage.py bounce`: a mail server pipes in what comes back to MAIL_BOUNCES_TO."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from customers.bounces.report import LONGEST, NotAReport
from customers.bounces.services import record_report

TRY_LATER = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and tries again


class Command(BaseCommand):
    """Reads one mail from standard input, and keeps what it reports."""

    help = "Record a report of mail that came back (RFC 3464), read from standard input."

    def handle(self, *args: Any, **options: Any) -> None:
        """A mail that is no report is dropped, so that mail servers do not answer each other for ever."""
        content = sys.stdin.buffer.read(LONGEST + 1)
        try:
            bounces = record_report(content)
        except NotAReport as error:
            self.stdout.write(f"Ignored: {error}")
            return
        except DatabaseError as error:
            raise CommandError(
                f"The database did not take the report ({type(error).__name__}).", returncode=TRY_LATER
            ) from error
        for bounce in bounces:
            self.stdout.write(str(bounce))
