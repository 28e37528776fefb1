"""`manage.py reseal`: after a new key was put first in SECRETS_KEYS, seals every stored secret with it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from live.reseal import reseal_all


class Command(BaseCommand):
    """Seals all stored secrets with the newest key; safe to repeat, and to run while the site runs."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Everything is sealed with the newest key, or the command fails and counts what could not be opened."""
        result = reseal_all()
        self.stdout.write(f"Resealed {result.resealed}; {result.current} already used the newest key.")
        if result.unreadable:
            tables = ", ".join(f"{table} ({count})" for table, count in sorted(result.unreadable.items()))
            raise CommandError(
                f"No present key opens these values: {tables}. Add the key that sealed them to SECRETS_KEYS "
                "and run this command again."
            )
