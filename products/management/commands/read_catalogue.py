"""`manage.py read_catalogue`: what the catalogue says is on sale, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import OutsideError
from products.services import import_catalogue


class Command(BaseCommand):
    """Reads the catalogue and says what came of it."""

    help = "Read the catalogue (CATALOGUE_URL) now; exits with 1 when a product is refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--lenient", action="store_true", help="a refused product is no failure")

    def handle(self, *args: Any, **options: Any) -> None:
        """Every product is imported or refused."""
        try:
            result = import_catalogue()
        except OutsideError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(result))
        if result.refused and not options["lenient"]:
            names = ", ".join(product.slug for product in result.refused)
            raise CommandError(f"Refused: {names}")
