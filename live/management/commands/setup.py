"""`manage.py setup`: makes a machine, or a new version, ready to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from core.engine.queue import write_schedules
from core.engine.schedules import all_schedules
from live.disk.var_folder import close_folder
from live.secrets_check import write_canary
from live.static_files import NOT_COLLECTED


class Command(BaseCommand):
    """Migrates, collects static files, writes roles and schedules, reads the catalogue; safe to repeat."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Everything that a deploy needs has been done."""
        close_folder(Path(settings.VAR_DIR))
        call_command("migrate", interactive=False, verbosity=0)
        try:
            write_canary()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=list(NOT_COLLECTED))
        call_command("write_roles", verbosity=0)
        write_schedules(all_schedules())
        call_command("catalogue", "sync", "--lenient", stdout=self.stdout, stderr=self.stderr)
