"""What every test may ask for."""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.core.cache.backends.locmem import LocMemCache
from django.core.management.commands.migrate import Command as Migrate
from django.db import DataError, connection

from core.api.pushes import PushThrottle
from tests.driving import Drive
from tests.leftovers import changed, shared_state
from tests.migrated_database import load_template, save_template

SHARED = pytest.StashKey[dict[str, str]]()


def pytest_collection_finish() -> None:
    """What is loaded now stays until the end; looking through it for garbage took a seventh of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


# Each takes ten seconds to two minutes. A file is the work of one process: the last to begin must not be a long one.
LONGEST_FILES = (
    "infrastructure/provisioning/test_faults.py",
    "docs/test_write_a_product.py",
    "demo/test_once.py",
    "demo/test_interrupted.py",
    "demo/test_demo_gitlab.py",
    "migrations/test_filled_database.py",
    "products/test_bad_input.py",
    "live/test_every_address.py",
    "live/test_worker.py",
    "live/test_admin_lists.py",
    "infrastructure/provisioning/test_upgrade.py",
    "infrastructure/provisioning/test_launching.py",
    "infrastructure/provisioning/test_killed_changes.py",
    "infrastructure/test_migrations.py",
    "infrastructure/sandbox/test_map.py",
    "billing/test_year.py",
    "monitoring/test_migrations.py",
    "orders/test_who_may.py",
    "monitoring/incidents/test_incidents.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files come first, the others as they were."""
    here = Path(__file__).parent
    rank = {here / name: number for number, name in enumerate(LONGEST_FILES)}
    items.sort(key=lambda item: rank.get(item.path, len(rank)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What the tests of a process share is looked at before the first test of a file."""
    if SHARED not in item.session.stash:
        item.session.stash[SHARED] = shared_state()
    return (yield)


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """A file whose tests leave a setting changed has an error of its own, and no test of another file fails by it."""
    result = yield
    if nextitem is None or nextitem.path != item.path:  # fixtures of the whole file have ended as well
        before = item.session.stash[SHARED]
        del item.session.stash[SHARED]
        if names := changed(before, shared_state()):
            pytest.fail(f"The tests of {item.path.name} left behind another {', '.join(names)}", pytrace=False)
    return result


@pytest.fixture(scope="session", autouse=True)
def _begin_with_a_migrated_database(request: pytest.FixtureRequest) -> Iterator[None]:
    """On SQLite, `migrate` finds a database that needs no migration; the first run of a state of the code makes it."""
    if connection.vendor != "sqlite":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        migrate = Migrate.handle

        def migrate_what_is_missing(self: Migrate, *args: Any, **options: Any) -> str | None:
            connection.ensure_connection()
            if load_template(connection):
                return None
            result = migrate(self, *args, **options)
            save_template(connection)
            return result

        patch.setattr(Migrate, "handle", migrate_what_is_missing)
        # Only while the test database is made: tests of migrations run the real command.
        request.getfixturevalue("django_db_setup")
    yield


@pytest.fixture(autouse=True)
def _nul_is_refused_as_by_postgresql() -> Iterator[None]:
    """A text with a NUL fails on every database; SQLite alone would store it."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.execute_wrapper(_refuse_nul):
        yield


def _refuse_nul(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
    for row in params or () if many else (params or (),):
        values = row.values() if isinstance(row, Mapping) else row
        if any(isinstance(value, str) and "\0" in value for value in values):
            raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    return execute(sql, params, many, context)


# The tables of money, those first that refer to others.
MONEY = (
    "settlement",
    "reminder",
    "billedperiod",
    "pendingcharge",
    "directdebit",
    "whmcsperiod",
    "whmcsinvoice",
    "payment",
    "invoiceline WHERE corrects_id IS NOT NULL",
    "invoiceline",
    "invoicepdf",
    "invoice WHERE corrects_id IS NOT NULL",
    "invoice",
)


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
    triggers = import_module("billing.migrations.0007_issued_stays_issued")
    with connection.cursor() as cursor:
        for statement in triggers.thaw_statements("sqlite"):
            cursor.execute(statement)
        for table in MONEY:
            cursor.execute(f"DELETE FROM billing_{table}")  # noqa: S608
        chain = import_module("billing.migrations.0011_billed_by_whmcs")
        for statement in (*triggers.freeze_statements("sqlite"), *chain.chain_statements("sqlite")):
            cursor.execute(statement)


@pytest.fixture
def two_pushes_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that a hook takes from one address, counted in a cache that no other test knows."""
    monkeypatch.setattr(PushThrottle, "rate", "2/min")
    monkeypatch.setattr(PushThrottle, "cache", LocMemCache(secrets.token_hex(8), {}))
