"""One ticker leads on all machines."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings
from django.db import connection

from core import clock
from core.engine import controller
from core.engine.controller import enqueue_due
from core.engine.leader import Leader
from core.engine.queue import Call
from customers.models import Message

IS_POSTGRESQL = "postgresql" in settings.DATABASES["default"]["ENGINE"]
on_postgresql = pytest.mark.skipif(not IS_POSTGRESQL, reason="only PostgreSQL has several machines on one database")


def elsewhere(question: Callable[[], bool]) -> bool:
    """The answer of a process with a database session of its own."""

    def ask() -> bool:
        try:
            return question()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(ask).result()


@pytest.mark.django_db(transaction=True)
def test_leader_goes_on_leading() -> None:
    leader = Leader(lock=1)
    assert [leader.leads(), leader.leads()] == [True, True]
    connection.close()
    assert leader.leads()


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_other_machine_leads_once_the_session_of_the_leader_has_ended() -> None:
    assert Leader(lock=2).leads()
    assert not elsewhere(Leader(lock=2).leads)
    connection.close()
    assert elsewhere(Leader(lock=2).leads)


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_machines_that_look_for_due_rows_at_once_hand_each_row_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[Call] = []
    monkeypatch.setattr(controller, "enqueue_calls", lambda _task, calls, **_options: handed.extend(calls))
    rows = [Message(key=f"mail {n}", to=["gis@example.org"], next_attempt_at=clock.now()) for n in range(100)]
    Message.objects.bulk_create(rows)
    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(lambda _: _enqueue_and_close(), range(4)))
    assert sum(counts) == 100
    assert sorted(pk for call in handed for pk in call.args[1]) == sorted(row.pk for row in rows)


def _enqueue_and_close() -> int:
    try:
        return enqueue_due()
    finally:
        connection.close()
