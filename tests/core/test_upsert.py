"""Many rows, one statement."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.upsert import upsert
from infrastructure.models import Observation, Provider

pytestmark = pytest.mark.django_db
MARK = ("provider", "thing", "engine")
THEN = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def provider() -> Provider:
    return Provider.objects.create(slug="s", name="S", kind=Provider.Kind.SANDBOX)


def observations(provider: Provider, count: int, **fields: object) -> list[Observation]:
    return [
        Observation(provider=provider, thing="engine", engine=f"e{n}", attempted_at=THEN, **fields)
        for n in range(count)
    ]


def test_rows_are_made_and_then_changed_in_one_statement(provider: Provider) -> None:
    with CaptureQueriesContext(connection) as captured:
        upsert(observations(provider, 2000, ram_gb=1.5), unique=MARK, update=("ram_gb",))
        upsert(
            observations(provider, 2001, ram_gb=None, error='it\'s "quoted" 100%'),
            unique=MARK,
            update=("error", "ram_gb"),
        )
    assert len(captured) == 2
    assert Observation.objects.count() == 2001
    assert set(Observation.objects.values_list("ram_gb", "error", "attempted_at")) == {
        (None, 'it\'s "quoted" 100%', THEN)
    }


def test_what_is_kept_is_not_replaced_by_nothing(provider: Provider) -> None:
    upsert(observations(provider, 1, seen_at=THEN, cpus=4), unique=MARK, update=("cpus",), keep=("seen_at",))
    upsert(observations(provider, 1, cpus=8), unique=MARK, update=("cpus",), keep=("seen_at",))
    assert list(Observation.objects.values_list("cpus", "seen_at")) == [(8, THEN)]


def test_what_is_added_is_summed_up(provider: Provider) -> None:
    for cpus in (4, 8):
        upsert(observations(provider, 1, cpus=cpus, error=str(cpus)), unique=MARK, update=("error",), add=("cpus",))
    assert list(Observation.objects.values_list("cpus", "error")) == [(12, "8")]


def test_nothing_to_write_asks_nothing() -> None:
    with CaptureQueriesContext(connection) as captured:
        upsert([], unique=MARK, update=("cpus",))
    assert len(captured) == 0
