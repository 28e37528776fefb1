"""What watches this site is told the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django_q.models import Schedule

from core import clock
from live import health

pytestmark = pytest.mark.django_db


def test_the_process_answers_without_the_database(client: Client, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok\n"


def test_ready_once_the_database_answers_and_is_migrated(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (200, "ok")


def test_a_queue_that_fell_behind_is_told(client: Client) -> None:
    Schedule.objects.all().delete()
    assert client.get("/readyz").json()["queue"] == "unknown"
    beat = Schedule.objects.create(name="sweep", func="core.engine.sweep.sweep", next_run=clock.now())
    assert client.get("/readyz").json()["queue"] == "ok"
    beat.next_run = clock.now() - timedelta(minutes=6)
    beat.save()
    response = client.get("/readyz")
    assert (response.status_code, response.json()["queue"]) == (200, "late")


def test_not_ready_while_migrations_are_missing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "missing_migrations", lambda: 2)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (503, "missing")


def test_not_ready_without_the_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable() -> int:
        raise OperationalError("no such host")

    monkeypatch.setattr(health, "missing_migrations", unreachable)
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (503, {"database": "unreachable"})
