"""A machine that stands still in the middle of a transaction keeps nobody else waiting for long."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import psycopg
import pytest
from django.db import connection

from orders.models import Order
from tests.factories import make_draft

POSTGRES = "postgres://live@127.0.0.1:5432/live"


def options_for(**environment: str) -> dict[str, object]:
    """The options of the database, in a process with that environment."""
    read = "settings.DATABASES['default'].get('OPTIONS', {})"
    script = f"import json; from django.conf import settings; print(json.dumps({read}))"
    inherited = {name: value for name, value in os.environ.items() if name != "IDLE_TRANSACTION_TIMEOUT"}
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={**inherited, "DJANGO_SETTINGS_MODULE": "live.settings", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, object] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize(
    ("environment", "options"),
    [
        ({}, "-c idle_in_transaction_session_timeout=60s"),
        ({"IDLE_TRANSACTION_TIMEOUT": "5"}, "-c idle_in_transaction_session_timeout=5s"),
        ({"IDLE_TRANSACTION_TIMEOUT": "0"}, None),
        ({"DATABASE_URL": f"{POSTGRES}?options=-csearch_path%3Dgis"}, "-csearch_path=gis"),
    ],
)
def test_sessions_of_postgresql_ask_for_an_end_of_idle_transactions(
    environment: dict[str, str], options: str | None
) -> None:
    assert options_for(**{"DATABASE_URL": POSTGRES, **environment}).get("options") == options


def test_sqlite_has_no_such_option() -> None:
    assert "options" not in options_for(DATABASE_URL="sqlite:////tmp/never-opened.sqlite3")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no sessions that others could end")
@pytest.mark.django_db(transaction=True)
def test_row_of_a_machine_that_stands_still_is_free_after_a_while(socket_enabled: None) -> None:
    order = make_draft()
    own = connection.get_connection_params()
    address = {name: own[name] for name in ("host", "port", "user", "password", "dbname") if own.get(name)}
    frozen = psycopg.connect(options="-c idle_in_transaction_session_timeout=1s", **address)
    try:
        frozen.execute("SELECT id FROM orders_order WHERE id = %s FOR UPDATE", (order.pk,))
        Order.objects.filter(pk=order.pk).update(name="of somebody who waited")
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            frozen.execute("SELECT 1")
    finally:
        frozen.close()
    order.refresh_from_db()
    assert order.name == "of somebody who waited"
