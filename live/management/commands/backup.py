"""`manage.py backup FILE`: the whole company in one file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.errors import OutsideError
from live.backup.archive import write_backup


class Command(BaseCommand):
    """Writes database and stored documents to an archive, while site and workers go on."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path, help="The archive to write; a file of that name is replaced.")

    def handle(self, *args: Any, **options: Any) -> None:
        """The archive is whole, or there is none."""
        target: Path = options["file"]
        if not target.parent.is_dir():
            raise CommandError(f"There is no folder {target.parent}.")
        try:
            write_backup(target)
        except OutsideError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{target}: {target.stat().st_size / 1e6:.1f} MB. Keep SECRETS_KEYS and SECRET_KEY elsewhere."
        )
