"""The ticker ends with the worker that started it, whenever that is."""

from __future__ import annotations

import os

import pytest
from django.core.management import call_command

from core.engine import supervisor
from live.management.commands import tick, worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The parent at each look for due rows; the ticker always leads, and does not wait."""
    parents: list[int] = []
    monkeypatch.setattr(tick, "enqueue_due", lambda: parents.append(os.getppid()))
    monkeypatch.setattr(tick.Leader, "leads", lambda _leader: True)
    monkeypatch.setattr(tick, "close_old_connections", lambda: None)
    monkeypatch.setattr(tick.time, "sleep", lambda _seconds: None)
    return parents


def test_it_looks_until_its_parent_is_another(looks: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7, 7, 7, 7, 7, 1])
    monkeypatch.setattr(tick.os, "getppid", lambda: next(parents))
    call_command("tick")
    assert looks == [7, 7], "asked once for itself, and once by each look"


def test_worker_that_was_killed_while_its_ticker_started_is_not_waited_for(looks: list[int]) -> None:
    call_command("tick", "--parent", str(os.getppid() + 1))
    assert looks == []


def test_worker_tells_its_ticker_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, dict[str, object]]] = []
    monkeypatch.setattr(worker, "call_command", lambda name, **options: asked.append((name, options)))
    monkeypatch.setattr(worker.connections, "close_all", lambda: None)
    monkeypatch.setattr(supervisor, "Group", lambda _lead, tick: tick())
    worker.start_group(2.0)
    assert asked == [("tick", {"every": 2.0, "parent": os.getpid()})]
