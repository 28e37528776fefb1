"""`manage.py catalogue …`: the catalogue from the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import OutsideError
from products.adoption.adopt import AdoptionRefused, adopt_composition
from products.services import import_catalogue
from products.source_check import CheckedSource, check_folder


class Command(BaseCommand):
    """`sync` imports the catalogue; `check` finds the problems of a folder; `adopt` makes one of a compose file."""

    help = "Work with the catalogue of products (CATALOGUE_URL)."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        sync = commands.add_parser("sync", help="Sync now; exits with 1 when a product is refused.")
        sync.add_argument("--lenient", action="store_true", help="A refused product is not an error.")

        check = commands.add_parser("check", help="Find all problems of a folder; exits with 1 when there are any.")
        check.add_argument("path", type=Path, help="A catalogue, or the folder of one product.")
        check.add_argument("--trusted", action="store_true", help="As for products that staff trust with the server.")

        adopt = commands.add_parser("adopt", help="Make a product folder of an existing compose file.")
        adopt.add_argument("file", type=Path, help="The compose file; its folder stays as it is.")
        adopt.add_argument("--into", type=Path, required=True, help="A new folder for the product, or a catalogue.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The subcommand is run by its own method."""
        getattr(self, f"handle_{options['subcommand']}")(**options)

    def handle_sync(self, *, lenient: bool, **_options: Any) -> None:
        """Every product is imported or refused."""
        try:
            result = import_catalogue()
        except OutsideError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(str(result))
        if result.refused and not lenient:
            names = ", ".join(product.slug for product in result.refused)
            raise CommandError(f"Refused: {names}")

    def handle_check(self, *, path: Path, trusted: bool, **_options: Any) -> None:
        """Every problem with its file and line, warnings after errors."""
        results = check_folder(path, is_trusted=trusted)
        if not results:
            raise CommandError(f"{path} holds no product: a product is a folder with product.yaml and compose.yaml")
        summary = self._print_problems(results)
        if any(checked.errors for checked in results.values()):
            raise CommandError(summary)
        self.stdout.write(summary)

    def handle_adopt(self, *, file: Path, into: Path, **_options: Any) -> None:
        """A product folder, the list of changes, and what is left to do; its own check follows."""
        try:
            adoption = adopt_composition(file, into)
        except AdoptionRefused as error:
            raise CommandError(str(error)) from error
        for title, lines in (("Changed", adoption.changes), ("Left to do", adoption.to_do)):
            if lines:
                self.stdout.write(f"{title}:\n" + "\n".join(f"  - {line}" for line in lines))
        self.stdout.write("Check:")
        self.stdout.write(self._print_problems(check_folder(adoption.folder)))
        self.stdout.write(f"The product is in {adoption.folder}.")

    def _print_problems(self, results: Mapping[Path, CheckedSource]) -> str:
        """Every problem on a line of its own; the counts as a sentence."""
        for folder, checked in results.items():
            for problem in (*checked.errors, *checked.warnings):
                where = f"{folder}/" if problem.file else f"{folder}: "
                self.stdout.write(f"{'warning: ' if problem.is_warning else ''}{where}{problem}")
        errors = sum(len(checked.errors) for checked in results.values())
        warnings = sum(len(checked.warnings) for checked in results.values())
        return f"{_count(len(results), 'product')}: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
