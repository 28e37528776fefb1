"""`manage.py worker`: what runs beside the web."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_q.cluster import Cluster

from core.engine.queue import write_schedules
from core.engine.schedules import all_schedules
from live.secrets_check import WRONG_KEY, WRONG_KEY_MESSAGE, secrets_status


class Command(BaseCommand):
    """Runs the queue's workers, and the ticker that honours waits shorter than the minute's sweep."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """How often the ticker looks."""
        parser.add_argument("--tick", type=float, default=1.0, help="Seconds between two looks for due rows.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until it is told to stop."""
        if secrets_status() == WRONG_KEY:
            raise CommandError(WRONG_KEY_MESSAGE)
        write_schedules(all_schedules())
        ticker = subprocess.Popen(  # noqa: S603  (our own command, no words of anybody else's)
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "tick", "--every", str(options["tick"])]
        )
        try:
            cluster = Cluster()
            cluster.start()
            cluster.sentinel.join()
        finally:
            ticker.terminate()
