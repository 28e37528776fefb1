"""The sweep finds what a lost signal or a killed worker left: a minute late, never lost."""

from __future__ import annotations

import logging
from collections.abc import Callable

from core import clock
from core.engine.controller import enqueue_due
from core.engine.queue import SWEEP
from core.models import Heartbeat

logger = logging.getLogger(__name__)

_followers: dict[str, Callable[[], object]] = {}


def register_follower(name: str, reconcile_all: Callable[[], object]) -> None:
    """`reconcile_all` brings a room's rows in line with what the rooms below want; it is called every minute."""
    _followers[name] = reconcile_all


def sweep() -> int:
    """Every room has reconciled its rows, and every due row is on the queue; returns how many were enqueued.

    The failure of one room is logged and keeps neither the other rooms nor the queue waiting.
    """
    failures = []
    for name, reconcile_all in _followers.items():
        try:
            reconcile_all()
        except Exception as error:
            logger.exception("%s was not reconciled; the next sweep repeats it", name)
            failures.append(f"{name}: {error!r}")
    count = enqueue_due()
    finished = {"finished_at": clock.now(), "error": "; ".join(failures)}
    Heartbeat.objects.update_or_create(name=SWEEP, defaults=finished)
    return count
