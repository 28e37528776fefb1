"""`manage.py worker`: the queue's processes, which work beside the web."""

from __future__ import annotations

import logging
import os
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections, connections
from django_q import cluster, signals

from core.call_times.store import store_before_exit, store_when_due
from core.engine import supervisor
from core.engine.queue import is_work_due, write_schedules
from core.engine.schedules import all_schedules
from core.outside.pdf import load_printer
from live.health import queue_status
from live.secrets_check import WRONG_KEY, WRONG_KEY_MESSAGE, secrets_status

logger = logging.getLogger(__name__)

BROKEN = 70  # exit code of a group that its supervisor has to start again


class Command(BaseCommand):
    """Runs the queue's workers, and the ticker that honours waits shorter than the minute's sweep."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """How often the ticker looks, and what else this process may be."""
        parser.add_argument("--tick", type=float, default=1.0, help="Seconds between two looks for due rows.")
        parser.add_argument("--health", action="store_true", help="Exit code 1 when no sweep was finished lately.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Works until SIGTERM."""
        if options["health"]:
            if (queue := queue_status()) == "late":
                raise CommandError("No sweep was finished for minutes: no worker is at work.")
            self.stdout.write(queue)
        else:
            if secrets_status() == WRONG_KEY:
                raise CommandError(WRONG_KEY_MESSAGE)
            write_schedules(all_schedules())
            supervise(tick=options["tick"])


def supervise(*, tick: float) -> None:
    """A group of queue processes is at work, and is started again whenever it breaks."""
    load_printer()  # once for all processes
    supervisor.Supervisor(
        lambda: start_group(tick),
        is_work_due=ask_for_work,
        workers=settings.Q_CLUSTER["workers"],
        longest_task=settings.TASK_TIMEOUT + 30,
        stalled_after=settings.WORKER_STALLED_AFTER,
        grace=settings.WORKER_GRACE,
    ).run()


def start_group(tick: float) -> supervisor.Group:
    """Copies of this process are at work."""
    connections.close_all()  # two processes cannot share one
    parent = os.getpid()

    def be_ticker() -> None:
        call_command("tick", every=tick, parent=parent)

    return supervisor.Group(lead_group, be_ticker)


def ask_for_work() -> bool:
    """True when the queue has something to do; while the database is away, nobody can know."""
    try:
        close_old_connections()
        return is_work_due()
    except DatabaseError as error:
        logger.warning("The queue could not be read: %s", error)
        return False


class Guard(cluster.Sentinel):  # type: ignore[misc]
    """Ends the whole group when one of its processes was killed: the lock of a queue may have died with it."""

    def reincarnate(self, process: Any) -> None:
        """Replace a process that has ended by itself or took too long."""
        took_too_long = process in self.pool and process.timer.value == 0
        if not took_too_long and (process.exitcode or 0) < 0:
            logger.critical("A process of the queue was killed by signal %s", -process.exitcode)
            os._exit(BROKEN)
        super().reincarnate(process)


def lead_group() -> None:
    """Workers, pusher and monitor of the queue run until SIGTERM, or until one of them was killed."""
    supervisor.end_with_supervisor()
    signals.pre_execute.connect(_task_begins)
    signals.post_execute_in_worker.connect(_task_ends)
    cluster.Sentinel = Guard
    group = cluster.Cluster()
    group.start()
    group.sentinel.join()
    if group.sentinel.exitcode:
        raise SystemExit(BROKEN)


def _task_begins(**_: object) -> None:
    store_before_exit()
    supervisor.report_begin()


def _task_ends(**_: object) -> None:
    supervisor.report_end()
    store_when_due()
