"""`manage.py token EMAIL --name PROGRAM`: a program may call the API as this person, within limits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core import clock
from customers.models import Customer, User
from customers.services import TokenRefused, issue_token


class Command(BaseCommand):
    """Prints a new token, once: only its hash is kept."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose, what for, and for how long."""
        parser.add_argument("email", help="Whose rights it has.")
        parser.add_argument("--name", required=True, help="Which program uses it.")
        parser.add_argument("--scope", action="append", help="Such as orders:read; repeat it. Default: everything.")
        parser.add_argument("--customer", help="The number of the only customer that it may see.")
        parser.add_argument("--network", action="append", default=[], help="Such as 203.0.113.0/24; repeat it.")
        parser.add_argument("--days", type=int, default=settings.API_TOKEN_DAYS, help="How long it works.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The token is on standard output, and on nothing else."""
        user = User.objects.filter(email__iexact=options["email"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {options['email']}.")
        customer = None
        if options["customer"]:
            customer = Customer.objects.filter(number=options["customer"]).first()
            if customer is None:
                raise CommandError(f"There is no customer {options['customer']}.")
        try:
            _row, token = issue_token(
                user=user,
                name=options["name"],
                expires_at=clock.now() + timedelta(days=options["days"]),
                scopes=options["scope"],
                customer=customer,
                networks=options["network"],
            )
        except TokenRefused as error:
            raise CommandError(error.message) from error
        self.stdout.write(token)
