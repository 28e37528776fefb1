"""The look that catches whatever a lost signal or a killed worker left: a minute late, never lost."""

from __future__ import annotations

from collections.abc import Callable

from core.engine.controller import enqueue_due

_followers: dict[str, Callable[[], object]] = {}


def register_follower(name: str, reconcile_all: Callable[[], object]) -> None:
    """`reconcile_all` brings a room's rows in line with what the rooms below want; it is called every minute."""
    _followers[name] = reconcile_all


def sweep() -> int:
    """Every room has looked again, and every due row is in the queue; returns how many rows were handed over."""
    for reconcile_all in _followers.values():
        reconcile_all()
    return enqueue_due()
