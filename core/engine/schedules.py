"""What happens by the clock: each room names its own in `apps.py`; the deploy writes them to the scheduler."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Call the function at dotted path `task` every `minutes`."""

    name: str
    task: str
    minutes: int


_schedules: dict[str, Every] = {}


def register_schedule(every: Every) -> None:
    """The schedule is known by its name; registering it twice changes nothing."""
    _schedules[every.name] = every


def all_schedules() -> list[Every]:
    """Every registered schedule, by name."""
    return sorted(_schedules.values(), key=lambda every: every.name)
