"""The one mechanism: every promise of core.engine.controller, shown on the smallest controller there can be."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from core.engine import controller
from core.engine.controller import Controller
from core.engine.outcome import Outcome, done, failed
from core.errors import PermanentError, TransientError
from customers.models import Message
from tests.factories import CustomerFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Probe(Controller[Message]):
    """Does what the test says, and remembers what was announced."""

    name = "probe"
    model = Message
    max_attempts = 3

    def __init__(self, act: Callable[[Message], Outcome]) -> None:
        self.what = act
        self.announced: list[tuple[int, str]] = []

    def act(self, row: Message) -> Outcome:
        return self.what(row)

    def on_outcomes(self, outcomes: Sequence[tuple[Message, Outcome]]) -> None:
        self.announced += [(row.pk, outcome.kind.value) for row, outcome in outcomes]


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """The clock stands at noon until told otherwise."""

    def set_clock(moment: datetime) -> None:
        monkeypatch.setattr("core.clock.now", lambda: moment)

    set_clock(NOON)
    return set_clock


@pytest.fixture
def row() -> Message:
    """A row with something to do."""
    return Message.objects.create(
        key="probe", customer=CustomerFactory(), to=["gis@example.org"], subject="s", text="t", next_attempt_at=NOON
    )


def test_success_settles_the_row_and_is_announced(row: Message) -> None:
    probe = Probe(lambda _: done("sent", subject="written"))
    assert probe.run([row.pk]) == 1
    row.refresh_from_db()
    assert (row.is_settled, row.subject, row.next_attempt_at, row.leased_until) == (True, "written", None, None)
    assert probe.announced == [(row.pk, "done")]


def test_second_run_does_nothing(row: Message) -> None:
    probe = Probe(lambda _: done())
    assert [probe.run([row.pk]), probe.run([row.pk])] == [1, 0]


def test_row_that_is_gone_is_no_error(row: Message) -> None:
    pk = row.pk
    row.delete()
    assert Probe(lambda _: done()).run([pk]) == 0


def test_held_row_is_left_to_its_holder(row: Message) -> None:
    outer = Probe(lambda _: done())
    inner = Probe(lambda _: done())
    outer.what = lambda held: done(str(inner.run([held.pk])))
    assert outer.run([row.pk]) == 1
    assert inner.announced == []


def test_transient_error_rests_longer_each_time(row: Message, noon: Callable[[datetime], None]) -> None:
    def refuse(_: Message) -> Outcome:
        raise TransientError("time-out")

    probe, moment, rests = Probe(refuse), NOON, []
    for _ in range(3):
        probe.run([row.pk])
        row.refresh_from_db()
        assert row.next_attempt_at is not None
        rests.append((row.next_attempt_at - moment).total_seconds())
        moment = row.next_attempt_at
        noon(moment)
    assert rests == [2, 4, 8]
    assert row.last_error == "time-out"


def test_wish_of_the_outside_is_honoured(row: Message) -> None:
    def refuse(_: Message) -> Outcome:
        raise TransientError("too many requests", retry_in=timedelta(seconds=77))

    Probe(refuse).run([row.pk])
    row.refresh_from_db()
    assert row.next_attempt_at == NOON + timedelta(seconds=77)


def test_permanent_error_waits_for_a_person(row: Message) -> None:
    def refuse(_: Message) -> Outcome:
        raise PermanentError("quota exceeded")

    probe = Probe(refuse)
    assert [probe.run([row.pk]), probe.run([row.pk])] == [1, 0]
    row.refresh_from_db()
    assert (row.has_failed, row.last_error, row.next_attempt_at) == (True, "quota exceeded", None)


def test_change_of_mind_meanwhile_keeps_the_row_due(row: Message) -> None:
    def change(_: Message) -> Outcome:
        controller.want(Message.objects.all(), 2)
        return done()

    Probe(change).run([row.pk])
    row.refresh_from_db()
    assert (row.done_version, row.is_settled, row.next_attempt_at) == (1, False, NOON)


def test_worker_that_lost_its_lease_writes_nothing(row: Message) -> None:
    def lose(_: Message) -> Outcome:
        Message.objects.update(leased_until=NOON + timedelta(hours=1))
        return done(subject="too late")

    probe = Probe(lose)
    probe.run([row.pk])
    row.refresh_from_db()
    assert (row.done_version, row.subject, probe.announced) == (0, "s", [])


def test_crash_leaves_the_row_due_once_its_lease_is_over(row: Message, noon: Callable[[datetime], None]) -> None:
    def crash(_: Message) -> Outcome:
        raise KeyError("a bug")

    probe = Probe(crash)
    with pytest.raises(KeyError):
        probe.run([row.pk])
    assert probe.run([row.pk]) == 0
    noon(NOON + probe.lease_time + timedelta(seconds=2))
    probe.what = lambda _: done()
    assert probe.run([row.pk]) == 1


def test_crashes_without_end_end_with_a_person(row: Message, noon: Callable[[datetime], None]) -> None:
    def crash(_: Message) -> Outcome:
        raise KeyError("a bug")

    probe, moment = Probe(crash), NOON
    for _ in range(probe.max_attempts):
        with pytest.raises(KeyError):
            probe.run([row.pk])
        moment += probe.lease_time + timedelta(seconds=2)
        noon(moment)
    assert probe.run([row.pk]) == 1
    row.refresh_from_db()
    assert row.has_failed
    assert row.last_error == "Unexpected KeyError: see the worker's log"


def test_batch_is_claimed_and_ended_row_by_row() -> None:
    customer = CustomerFactory()
    for number in range(5):
        Message.objects.create(
            key=f"k{number}", customer=customer, to=[], subject=str(number), text="", next_attempt_at=NOON
        )

    class Batch(Probe):
        batch_size = 4

        def act_many(self, rows: Sequence[Message]) -> Mapping[int, Outcome]:
            return {row.pk: done() if row.subject != "1" else failed("refused") for row in rows}

    batch = Batch(lambda _: done())
    assert [batch.run(), batch.run(), batch.run()] == [4, 1, 0]
    assert [m.has_failed for m in Message.objects.order_by("key")] == [False, True, False, False, False]


@pytest.fixture
def three_rows() -> list[Message]:
    customer = CustomerFactory()
    return [
        Message.objects.create(key=key, customer=customer, to=[], subject=key, text="", next_attempt_at=NOON)
        for key in "abc"
    ]


class OneByOne(Probe):
    """A batch whose outside calls are made row by row."""

    batch_size = 3


def test_each_visit_is_recorded_before_the_next_begins(three_rows: list[Message]) -> None:
    recorded: list[int] = []

    def count(_: Message) -> Outcome:
        recorded.append(Message.objects.filter(done_version=1).count())
        return done()

    assert OneByOne(count).run() == 3
    assert recorded == [0, 1, 2]


def test_no_visit_begins_when_the_lease_is_nearly_over(
    three_rows: list[Message], noon: Callable[[datetime], None]
) -> None:
    visited: list[str] = []

    def slow(row: Message) -> Outcome:
        visited.append(row.key)
        noon(NOON + timedelta(seconds=70))
        return done()

    assert OneByOne(slow).run() == 3
    assert visited == ["a"]
    left = Message.objects.due(NOON + timedelta(seconds=70)).order_by("key")
    assert list(left.values_list("key", "attempts", "queued_at")) == [("b", 0, None), ("c", 0, None)]


def test_bug_in_one_visit_leaves_the_rest_of_the_batch_due(three_rows: list[Message]) -> None:
    def crash(row: Message) -> Outcome:
        if row.key == "b":
            raise KeyError("a bug")
        return done()

    probe = OneByOne(crash)
    with pytest.raises(KeyError):
        probe.run()
    assert list(Message.objects.due(NOON).values_list("key", flat=True)) == ["c"]
    assert [probe.run(), probe.run()] == [1, 0]


def test_refusal_of_the_connection_is_the_outcome_of_all_rows_left(three_rows: list[Message]) -> None:
    class Connected(OneByOne):
        def act_each(self, rows: Sequence[Message]) -> Generator[tuple[Message, Outcome], None, None]:
            yield rows[0], done()
            raise TransientError("connection lost")

    Connected(lambda _: done()).run()
    rows = Message.objects.order_by("key").values_list("last_error", flat=True)
    assert list(rows) == ["", "connection lost", "connection lost"]


def test_sweep_hands_each_due_row_over_once_a_minute(
    row: Message, noon: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    handed: list[object] = []
    monkeypatch.setattr(
        controller, "enqueue_calls", lambda _task, calls, **_: handed.extend(call.args for call in calls)
    )
    mail = next(every for every in controller.controllers() if every.name == "mail")
    assert [controller.enqueue_due(), controller.enqueue_due()] == [1, 0]
    noon(NOON + max(timedelta(seconds=60), mail.holds_for) + timedelta(seconds=1))
    assert controller.enqueue_due() == 1
    assert handed == [("mail", [row.pk])] * 2
