"""A lease is claimed once, held until it runs out, and lost without a trace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from core.lease import free, new_lease
from customers.models import Message
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.clock.now", lambda: NOON)


@pytest.fixture
def row() -> Message:
    return Message.objects.create(key="k", customer=CustomerFactory(), to=[], subject="s", text="t")


def test_second_claim_of_a_held_row_gets_nothing(row: Message) -> None:
    first, second = new_lease(MINUTE), new_lease(MINUTE)
    rows = Message.objects.filter(free(NOON))
    assert [first.claim(rows, attempts=1), second.claim(rows, attempts=9)] == [1, 0]
    assert first.held(Message.objects.all()).get().attempts == 1
    assert not second.held(Message.objects.all()).exists()


def test_two_leases_of_one_moment_differ() -> None:
    assert len({new_lease(MINUTE).until for _ in range(20)}) > 1


def test_row_is_free_again_when_its_lease_has_run_out(row: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    lease = new_lease(MINUTE)
    lease.claim(Message.objects.all())
    assert lease.time_left >= MINUTE
    later = NOON + 2 * MINUTE
    monkeypatch.setattr("core.clock.now", lambda: later)
    assert lease.time_left < timedelta(0)
    assert Message.objects.filter(free(later)).get() == row


def test_lease_may_be_kept_in_another_column(row: Message) -> None:
    lease = new_lease(MINUTE, column="next_attempt_at")
    assert lease.claim(Message.objects.all()) == 1
    row.refresh_from_db()
    assert (row.next_attempt_at, row.leased_until) == (lease.until, None)
