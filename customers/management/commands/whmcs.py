"""`manage.py whmcs …`: WHMCS from the command line."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation

from core.errors import OutsideError
from customers.whmcs.services import get_client
from customers.whmcs.sync import sync_page


class Command(BaseCommand):
    """`sync` brings customers in line with the clients of WHMCS; `test` says whether WHMCS answers."""

    help = "Work with WHMCS (WHMCS_URL)."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="subcommand", required=True)
        sync = commands.add_parser("sync", help="Sync all clients now, and print what changes.")
        sync.add_argument("--dry-run", action="store_true", help="Print what would change, and change nothing.")
        sync.add_argument("--deep", action="store_true", help="Read the details of every client.")
        commands.add_parser("test", help="Say which version of WHMCS answers, or why it does not.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The subcommand is run by its own method."""
        try:
            with translation.override("en"):
                getattr(self, f"handle_{options['subcommand']}")(**options)
        except OutsideError as error:
            raise CommandError(str(error)) from error

    def handle_test(self, **_options: Any) -> None:
        """One call."""
        self.stdout.write(f"WHMCS {get_client().version()} answers.")

    def handle_sync(self, *, dry_run: bool, deep: bool, **_options: Any) -> None:
        """Page by page; every change is a line."""
        client = get_client()
        start: int | None = 0
        last_id = read = created = changed = conflicts = 0
        while start is not None:
            result = sync_page(
                client, start=start, after_id=last_id, is_deep=deep, is_dry=dry_run, report=self.stdout.write
            )
            start, last_id = result.next_start, result.last_id
            read, created = read + result.read, created + result.created
            changed, conflicts = changed + result.changed, conflicts + result.conflicts
        prefix = "Dry run, nothing was changed: " if dry_run else ""
        self.stdout.write(
            f"{prefix}{read} clients read, {created} customers created, {changed} changed, {conflicts} new conflicts."
        )
