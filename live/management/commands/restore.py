"""`manage.py restore FILE`: database and stored documents are those of a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from core.errors import OutsideError
from live.backup.archive import load_backup, read_manifest, unknown_migrations
from live.backup.database import has_tables
from live.secrets_check import WRONG_KEY, WRONG_KEY_MESSAGE, secrets_status


class Command(BaseCommand):
    """Stop site and workers before; start them afterwards."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, and whether what is there may go."""
        parser.add_argument("file", type=Path, help="An archive that `manage.py backup` wrote.")
        parser.add_argument("--replace", action="store_true", help="Replace the database that DATABASE_URL names.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The restored database has the tables of this version."""
        if has_tables() and not options["replace"]:
            raise CommandError("The database is not empty. Add --replace to lose what it holds.")
        source: Path = options["file"]
        try:
            manifest = read_manifest(source)
            on_disk = {f"{app}.{name}" for app, name in MigrationLoader(connection).disk_migrations}
            if later := unknown_migrations(manifest, on_disk):
                raise CommandError(f"The backup is of a later version: this one does not know {', '.join(later[:3])}.")
            count = load_backup(source, manifest)
        except OutsideError as error:
            raise CommandError(str(error)) from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"Restored the backup of {manifest.created_at}, documents included: {count}.")
        if secrets_status() == WRONG_KEY:
            raise CommandError(WRONG_KEY_MESSAGE)
