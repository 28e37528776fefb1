"""`manage.py catalogue …`: the catalogue from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import OutsideError
from products.services import import_catalogue


class Command(BaseCommand):
    """`sync` reads the catalogue and stores what it holds."""

    help = "Work with the catalogue of products (CATALOGUE_URL)."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        sync = commands.add_parser("sync", help="Sync now; exits with 1 when a product is refused.")
        sync.add_argument("--lenient", action="store_true", help="A refused product is not an error.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The subcommand is run by the method of its name."""
        getattr(self, options["subcommand"])(**options)

    def sync(self, *, lenient: bool, **_options: Any) -> None:
        """Every product is imported or refused."""
        try:
            result = import_catalogue()
        except OutsideError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(result))
        if result.refused and not lenient:
            names = ", ".join(product.slug for product in result.refused)
            raise CommandError(f"Refused: {names}")
