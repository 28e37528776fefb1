"""What every test may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.db import connection

from tests.driving import Drive


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> Drive:
    """The engine without a queue."""
    return Drive(monkeypatch)


@pytest.fixture(autouse=True)
def _issued_invoices_can_be_swept_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """SQLite empties tables by DELETE after a test with real transactions, which issued invoices refuse."""
    marker = request.node.get_closest_marker("django_db")
    if not (marker and marker.kwargs.get("transaction") and connection.vendor == "sqlite"):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    triggers = import_module("billing.migrations.0002_issued_is_issued")
    with connection.cursor() as cursor:
        for statement in triggers.thaw_statements("sqlite"):
            cursor.execute(statement)
        cursor.execute("DELETE FROM billing_invoiceline")
        cursor.execute("DELETE FROM billing_invoicepdf")
        cursor.execute("DELETE FROM billing_invoice")
        for statement in triggers.freeze_statements("sqlite"):
            cursor.execute(statement)
