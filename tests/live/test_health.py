"""What watches this site is told the truth."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from core import clock
from core.models import Heartbeat
from live import health

pytestmark = pytest.mark.django_db


def test_the_process_answers_without_the_database(client: Client, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok\n"


@pytest.mark.parametrize("page", ["/healthz", "/readyz"])
def test_probes_by_ip_address_and_without_tls_are_answered(client: Client, settings: LazySettings, page: str) -> None:
    settings.SECURE_SSL_REDIRECT, settings.ALLOWED_HOSTS = True, ["live.example"]
    response = client.get(page, headers={"host": "10.1.2.3:8000"})
    assert response.status_code == 200
    assert response["X-Request-ID"]
    assert client.get("/", headers={"host": "live.example"}).status_code == 301
    assert client.get("/", headers={"host": "10.1.2.3:8000"}).status_code == 400


def test_ready_once_the_database_answers_and_is_migrated(client: Client) -> None:
    response = client.get("/readyz")
    assert (response.status_code, response.json()["migrations"]) == (200, "ok")


def test_a_queue_that_fell_behind_is_told(client: Client) -> None:
    assert client.get("/readyz").json()["queue"] == "unknown"
    Heartbeat.objects.create(name="sweep", finished_at=clock.now())
    assert client.get("/readyz").json()["queue"] == "ok"
    call_command("worker", health=True)
    Heartbeat.objects.update(finished_at=clock.now() - timedelta(minutes=4))
    response = client.get("/readyz")
    assert (response.status_code, response.json()["queue"]) == (200, "late")
    with pytest.raises(CommandError, match="no worker is at work"):
        call_command("worker", health=True)


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
