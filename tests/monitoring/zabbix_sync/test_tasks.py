"""What whoever watches tells beyond its readings comes into our rows, in sets, and fills what we missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from monitoring.contracts.history_source import ActiveProblem, PastProblem, SliReading
from monitoring.history.measurement import close_days, company_zone
from monitoring.models import BackendSli, BackendStatus, BackfillRequest, DailyAvailability, DataGap, Outage, Problem
from monitoring.monitors.services import reconcile_all
from monitoring.monitors.tasks import read_states
from monitoring.rules.availability import Figures, day_span
from monitoring.zabbix_sync.tasks import backfill, read_problems, read_sli
from monitoring.zabbix_sync.tasks import check_backend as request_backend_check
from orders.choices import PartState
from orders.models import Order
from orders.services import suspend_order
from tests.fakes.history_source import FakeHistorySource
from tests.fakes.monitor_backend import REFUSED, http_failure
from tests.monitoring.conftest import MINUTE, Room, count_queries

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, room: Room) -> FakeHistorySource:
    """What `monitoring.backends.get_history_source` gives."""
    source = FakeHistorySource()
    room.backend.name = "zabbix"
    monkeypatch.setattr("monitoring.backends.get_history_source", lambda: source)
    return source


def alarm(order: Order, event_id: str = "7", **fields: object) -> ActiveProblem:
    plain = {"check": "wms", "name": "Maps do not answer", "severity": 4, "since": datetime(2026, 3, 1, tzinfo=UTC)}
    return ActiveProblem(event_id=event_id, key=order.key, **{**plain, **fields})  # type: ignore[arg-type]


def test_problems_are_rows_while_they_go_on(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    source.alarms = [alarm(order), alarm(order, "8", check="", name="Disk is full", severity=5, acknowledged=True)]
    assert read_problems() == 2
    disk, maps = Problem.objects.all()
    assert (disk.name, disk.monitor_check, disk.severity, disk.is_acknowledged) == ("Disk is full", None, 5, True)
    assert maps.monitor_check == room.monitor(order).checks.get()
    assert maps.get_severity_display() == "High"
    source.alarms = [alarm(order, acknowledged=True)]
    read_problems()
    row = Problem.objects.get()
    assert (row.pk, row.is_acknowledged) == (maps.pk, True)
    source.alarms = []
    read_problems()
    assert not Problem.objects.exists()


def test_problems_of_strangers_and_of_suspended_orders_are_not_ours(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    source.alarms = [alarm(order)]
    read_problems()
    suspend_order(order=order)
    stranger = ActiveProblem(event_id="9", key="live-nobody", check="", name="x", severity=1, since=room.drive.now)
    source.alarms = [alarm(order), stranger]
    reconcile_all()
    read_problems()
    assert not Problem.objects.exists()


def test_problems_cost_the_same_for_one_order_and_for_ten(room: Room, source: FakeHistorySource) -> None:
    few = [room.watched()]
    source.alarms = [alarm(order) for order in few]
    read_problems()
    source.alarms = [alarm(few[0], "11")]
    cost = count_queries(read_problems)
    many = [*few, *(room.watched() for _ in range(9))]
    source.alarms = [alarm(order, "12") for order in many]
    assert count_queries(read_problems) == cost
    assert Problem.objects.count() == 10


def test_problems_stay_as_they_were_while_nobody_answers(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    source.alarms = [alarm(order)]
    read_problems()
    first = room.drive.now
    source.outage = True
    room.drive.now += MINUTE
    failing = room.drive.now
    assert read_problems() == 0
    room.drive.now += MINUTE
    read_problems()
    row = BackendStatus.objects.get()
    assert (row.last_success_at, row.failing_since) == (first, failing)
    assert row.last_error == "the backend cannot be reached"
    assert Problem.objects.count() == 1
    source.outage = False
    read_problems()
    assert (BackendStatus.objects.get().failing_since, BackendStatus.objects.get().last_success_at) == (
        None,
        room.drive.now,
    )


def test_figures_of_the_watcher_stand_beside_ours(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    month = {"start": datetime(2026, 3, 1, tzinfo=UTC), "end": datetime(2026, 4, 1, tzinfo=UTC)}
    source.figures = [
        SliReading(key=order.key, uptime=99_950, downtime=50, **month),
        SliReading(key="live-gone", uptime=1, downtime=1, **month),
    ]
    assert read_sli() == 1
    assert BackendSli.objects.get().percentage == Decimal("99.95")
    source.figures = [SliReading(key=order.key, uptime=199_900, downtime=100, **month)]
    read_sli()
    row = BackendSli.objects.get()
    assert (row.order, row.uptime, row.read_at) == (order, 199_900, room.drive.now)


def pass_unread(room: Room, source: FakeHistorySource, order: Order, signs: str, check: str = "wms") -> datetime:
    """So many minutes go by in which no worker reads, and whoever watches does; returns when they began."""
    start = room.drive.now
    for n, sign in enumerate(signs):
        source.remember(order.key, check, start + n * MINUTE, REFUSED if sign == "x" else None)
    room.drive.now = start + (len(signs) - 1) * MINUTE
    return start


def ripen(room: Room) -> None:
    for _ in range(4):
        room.minute()


def test_outage_while_our_workers_were_down_is_in_our_history(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    start = pass_unread(room, source, order, "....xxxxxx..........")
    read_states()
    assert DataGap.objects.count() == 1
    ripen(room)
    assert backfill() == 1
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at) == (start + 4 * MINUTE, start + 10 * MINUTE)
    assert (outage.application, outage.cause, outage.order) == ("WMS", REFUSED, order)
    assert not DataGap.objects.exists()
    assert not BackfillRequest.objects.exists()


def test_time_that_nobody_remembers_stays_unknown(room: Room, source: FakeHistorySource) -> None:
    room.watched()
    room.drive.now += 20 * MINUTE
    read_states()
    ripen(room)
    assert backfill() == 1
    assert (DataGap.objects.count(), Outage.objects.count(), BackfillRequest.objects.count()) == (1, 0, 0)


def test_gap_waits_while_nobody_answers(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    pass_unread(room, source, order, "...xxx...........")
    read_states()
    ripen(room)
    source.outage = True
    assert backfill() == 0
    assert BackfillRequest.objects.count() == 1
    source.outage = False
    assert backfill() == 1
    assert Outage.objects.count() == 1


def test_outage_that_was_found_by_the_first_reading_afterwards_began_when_it_did(
    room: Room, source: FakeHistorySource
) -> None:
    order = room.watched()
    start = pass_unread(room, source, order, "........xxxxx")
    room.backend.down[order.key, "wms"] = REFUSED
    read_states()
    room.minute()
    assert Outage.objects.get().started_at == start + 12 * MINUTE
    ripen(room)
    backfill()
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at) == (start + 8 * MINUTE, None)
    room.backend.down.clear()
    room.minute()
    assert Outage.objects.get().ended_at == room.drive.now


def test_filling_twice_changes_nothing(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    pass_unread(room, source, order, "....xxxxxx..........")
    read_states()
    gap = BackfillRequest.objects.values().get()
    ripen(room)
    backfill()
    before = list(Outage.objects.values())
    BackfillRequest.objects.create(**gap)
    backfill()
    assert list(Outage.objects.values()) == before


def test_brief_outage_between_two_readings_is_told(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    room.minute()
    at = room.drive.now + timedelta(seconds=5)
    for seconds in (-5, 5, 15, 25, 35):
        failure = http_failure(502) if 5 <= seconds <= 25 else None
        source.remember(order.key, "wms", at + timedelta(seconds=seconds - 5), failure)
    source.briefs = [PastProblem(key=order.key, check="wms", at=at)]
    room.minute()
    assert backfill() == 0
    ripen(room)
    assert backfill() == 1
    outage = Outage.objects.get()
    assert (outage.started_at, outage.ended_at) == (at, at + timedelta(seconds=30))
    assert (backfill(), Outage.objects.count()) == (0, 1)


def test_outage_that_our_readings_saw_is_not_looked_at_again(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = http_failure(502)
    source.briefs = [PastProblem(key=order.key, check="wms", at=room.drive.now + timedelta(seconds=30))]
    room.minute()
    room.minute()
    room.backend.down.clear()
    room.minute()
    backfill()
    assert not BackfillRequest.objects.exists()


def test_closed_day_has_its_figures_anew(room: Room, source: FakeHistorySource) -> None:
    room.drive.now = room.drive.now.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
    order = room.watched()
    start = pass_unread(room, source, order, "." * 600 + "x" * 60 + "." * 1500)
    read_states()
    close_days()
    day = DailyAvailability.objects.filter(closed_at__isnull=False).order_by("day").first()
    assert day is not None
    assert (day.up, day.down) == (0, 0)
    ripen(room)
    assert backfill() == 1
    values = sum((row.figures for row in DailyAvailability.objects.filter(closed_at__isnull=False)), Figures())
    last = DailyAvailability.objects.filter(closed_at__isnull=False).latest("day").day
    assert values.down == 3600
    assert values.up == int((day_span(last, company_zone()).end - start).total_seconds()) - 3600


def test_gaps_cost_the_same_for_one_order_and_for_ten(room: Room, source: FakeHistorySource) -> None:
    few, many = [room.watched()], [room.watched() for _ in range(9)]

    def cost_of(several: list[Order]) -> tuple[int, int]:
        start = room.drive.now
        for order in several:
            room.drive.now = start
            pass_unread(room, source, order, "....xxxxxx..........")
        BackfillRequest.objects.all().delete()
        rows = [room.monitor(order).checks.get() for order in several]
        BackfillRequest.objects.bulk_create(
            [BackfillRequest(monitor_check=row, started_at=start, ended_at=room.drive.now) for row in rows]
        )
        room.drive.now += 4 * MINUTE
        source.calls.clear()
        return count_queries(backfill), len(source.calls)

    backfill()
    once = cost_of(few)
    assert cost_of([*few, *many]) == once
    assert Outage.objects.count() == 11


def test_nothing_is_asked_where_nobody_remembers(room: Room) -> None:
    room.watched()
    room.drive.now += 20 * MINUTE
    read_states()
    assert (read_problems(), read_sli(), backfill(), BackfillRequest.objects.count()) == (0, 0, 0, 0)


def test_asking_who_watches_writes_down_what_was_said(room: Room, source: FakeHistorySource) -> None:
    assert request_backend_check() == "a fake backend with 0 hosts\na fake that remembers"
    row = BackendStatus.objects.get(backend="zabbix")
    assert (row.test_report, row.tested_at) == ("a fake backend with 0 hosts\na fake that remembers", room.drive.now)
    room.backend.outage = True
    request_backend_check()
    row.refresh_from_db()
    assert row.test_report == "Failed: the backend cannot be reached"
    assert row.failing_since == room.drive.now


def test_readings_tell_when_whoever_watches_went_silent(room: Room, source: FakeHistorySource) -> None:
    order = room.watched()
    found = room.drive.now
    room.backend.outage = True
    room.minute()
    row = BackendStatus.objects.get(backend="zabbix")
    assert (row.last_success_at, row.failing_since) == (found, room.drive.now)
    assert room.part(order)[0] == PartState.READY
