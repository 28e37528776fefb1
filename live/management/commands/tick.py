"""`manage.py tick`: hands due rows to the queue, again and again."""

from __future__ import annotations

import logging
import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections

from core.engine.controller import enqueue_due
from core.engine.leader import Leader

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Looks for due rows every second or so, for as long as its parent lives; of several on one database one looks."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """How often, and until when."""
        parser.add_argument("--every", type=float, default=1.0, help="Seconds between two looks.")
        # The worker says who it is: it may be gone before this process can ask.
        parser.add_argument("--parent", type=int, help="Number of the process with which this one ends.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Ticks until the worker that started it is gone."""
        parent, leader = options["parent"] or os.getppid(), Leader()
        while os.getppid() == parent:
            close_old_connections()
            try:
                if leader.leads():
                    enqueue_due()
            except Error as error:  # the database is away: the next tick tries again
                logger.warning("The ticker could not look: %s", error)
            time.sleep(options["every"])
