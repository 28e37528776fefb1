"""Machines whose clocks are wrong go by the clock of their database."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import LazySettings
from django.utils import timezone

from core import clock
from core.engine.database_clock import read_clock
from core.lease import new_lease

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(timezone, "now", lambda: NOON)
    yield
    clock.correct(NOON)
    assert clock.now() == NOON


@pytest.mark.parametrize("wrong_by", [3 * MINUTE, -3 * MINUTE])
def test_a_wrong_clock_is_corrected_and_that_is_logged_once(
    wrong_by: timedelta, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        clock.correct(NOON - wrong_by)
    assert clock.now() == NOON - wrong_by
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert f"{wrong_by.total_seconds():+.0f} s" in caplog.text


def test_a_difference_of_a_moment_is_left_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    clock.correct(NOON - timedelta(seconds=1))
    assert clock.now() == NOON
    assert not caplog.records


def test_a_clock_that_was_set_right_is_trusted_again() -> None:
    clock.correct(NOON - MINUTE)
    clock.correct(NOON)
    assert clock.now() == NOON


def test_leases_and_days_go_by_the_corrected_clock(settings: LazySettings) -> None:
    settings.TIME_ZONE = "Europe/Amsterdam"
    clock.correct(NOON + timedelta(hours=12))
    assert clock.today() == date(2026, 11, 23)
    assert new_lease(MINUTE).until >= NOON + timedelta(hours=12) + MINUTE


def session_of(vendor: str, *, alias: str = "default") -> Any:
    """A session of a database in which it is a minute earlier."""
    cursor = SimpleNamespace(execute=lambda _sql: None, fetchone=lambda: (NOON - MINUTE,))
    return SimpleNamespace(vendor=vendor, alias=alias, cursor=lambda: nullcontext(cursor))


def test_a_new_session_with_postgresql_brings_its_clock(settings: LazySettings) -> None:
    settings.CLOCK_OF_DATABASE = True
    read_clock(session_of("postgresql"))
    assert clock.now() == NOON - MINUTE


@pytest.mark.parametrize(("vendor", "alias"), [("sqlite", "default"), ("postgresql", "replica")])
def test_no_other_session_sets_the_clock(settings: LazySettings, vendor: str, alias: str) -> None:
    settings.CLOCK_OF_DATABASE = True
    read_clock(session_of(vendor, alias=alias))
    assert clock.now() == NOON


def test_tests_set_the_time_themselves(settings: LazySettings) -> None:
    assert settings.CLOCK_OF_DATABASE is False
    read_clock(session_of("postgresql"))
    assert clock.now() == NOON
