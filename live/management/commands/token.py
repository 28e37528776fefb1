"""`manage.py token EMAIL --name PROGRAM`: a program may call the API as this person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from customers.models import ApiToken, User


class Command(BaseCommand):
    """Prints a new token, once: only its hash is kept."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, what for, and for how long."""
        parser.add_argument("email", help="Whose rights it has.")
        parser.add_argument("--name", required=True, help="Which program uses it.")
        parser.add_argument("--days", type=int, default=settings.API_TOKEN_DAYS, help="How long it works.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The token is on standard output, and on nothing else."""
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        _, token = ApiToken.objects.create(user=user, name=options["name"], expiry=timedelta(days=options["days"]))
        self.stdout.write(token)
