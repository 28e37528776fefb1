"""Scheduled jobs: each room registers its own in `apps.py`, and the deployment writes them to the scheduler."""

from __future__ import annotations

from dataclasses import dataclass

from core.engine.queue import ORDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Call the function at dotted path `task` every `minutes`, by a worker that serves `queue`."""

    name: str
    task: str
    minutes: int
    queue: str = ORDERS


_schedules: dict[str, Every] = {}


def register_schedule(every: Every) -> None:
    """Register the schedule under its name; repeating that changes nothing."""
    _schedules[every.name] = every


def all_schedules() -> list[Every]:
    """Every registered schedule, by name."""
    return sorted(_schedules.values(), key=lambda every: every.name)
