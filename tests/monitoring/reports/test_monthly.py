"""A month is reported once, and a credit is due where less was kept than promised."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from monitoring.history.measurement import close_days, company_zone, measure_again
from monitoring.models import BackfillRequest, DailyAvailability, Maintenance, Monitor, MonthlyReport, Outage
from monitoring.reports.services import Decided, decide_credit, make_reports
from monitoring.rules.availability import Span, days_until
from monitoring.rules.sla_credit import credit_due
from orders.models import Order
from orders.services import place_order
from products.models import Plan
from tests.factories import UserFactory, make_draft
from tests.fakes.monitor_backend import http_failure
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db

JULY_FIRST = datetime(2026, 7, 1, 6, tzinfo=UTC)
JUNE = date(2026, 6, 1)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("availability", "promise", "percent", "price", "period", "due"),
    [
        ("99.49", "99.50", "10", "49.00", "month", "4.90"),
        ("99.50", "99.50", "10", "49.00", "month", "0.00"),
        ("100.00", "99.50", "10", "49.00", "month", "0.00"),
        ("0.00", "99.50", "100", "49.00", "month", "49.00"),
        ("99.00", "99.50", "10", "500.00", "year", "4.17"),
        ("99.00", "99.50", "0", "49.00", "month", "0.00"),
        ("99.00", None, "10", "49.00", "month", "0.00"),
        (None, "99.50", "10", "49.00", "month", "0.00"),
    ],
)
def test_credit_is_due_below_the_promise_only(
    availability: str | None, promise: str | None, percent: str, price: str, period: str, due: str
) -> None:
    assert credit_due(
        availability=Decimal(availability) if availability else None,
        promise=Decimal(promise) if promise else None,
        percent=Decimal(percent),
        price=Decimal(price),
        period=period,
        currency="EUR",
    ) == Decimal(due)


def measured(room: Room, *, down: int = 0, **fields: object) -> Order:
    """An order whose June is closed, with `down` seconds of outage on its last day."""
    room.drive.now = JULY_FIRST
    order = place_order(
        order=make_draft(plan_fields={"sla_promise": Decimal("99.5"), "sla_credit": Decimal(10)}, **fields)
    )
    for day in days_until(date(2026, 6, 30), 30):
        lost = down if day.day == 30 else 0
        DailyAvailability.objects.create(
            order=order,
            day=day,
            up=86400 - lost,
            down=lost,
            closed_at=JULY_FIRST,
            checks=10,
            answers=10,
            seconds_total=2.0,
            seconds_max=0.9,
        )
    if down:
        ended = datetime(2026, 6, 30, 12, tzinfo=UTC)
        began = ended - timedelta(seconds=down)
        Outage.objects.create(order=order, application="WMS", started_at=began, ended_at=ended, cause=http_failure(503))
    return order


def test_month_that_was_kept_is_reported_without_a_credit(room: Room) -> None:
    order = measured(room)
    assert make_reports() == 1
    report = MonthlyReport.objects.get()
    assert (report.order, report.month, report.availability, report.promise) == (
        order,
        JUNE,
        Decimal(100),
        Decimal("99.5"),
    )
    assert (report.up, report.outages, report.credit, report.credit_state) == (30 * 86400, 0, Decimal(0), "none")
    assert report.seconds_mean == pytest.approx(0.2)
    assert report.seconds_max == pytest.approx(0.9)


def test_month_below_its_promise_has_a_credit_to_decide(room: Room) -> None:
    measured(room, down=5 * 3600)
    make_reports()
    report = MonthlyReport.objects.get()
    assert (report.availability, report.outages) == (Decimal("99.30"), 1)
    assert (report.credit, report.currency, report.credit_state) == (Decimal("4.90"), "EUR", "due")


def test_credit_is_of_what_was_agreed_when_it_was_ordered(room: Room) -> None:
    measured(room, down=5 * 3600)
    Plan.objects.update(price=Decimal(500), sla_promise=Decimal(90), sla_credit=Decimal(50))
    make_reports()
    report = MonthlyReport.objects.get()
    assert (report.promise, report.credit_percent) == (Decimal("99.5"), Decimal(10))
    assert (report.credit, report.credit_state) == (Decimal("4.90"), "due")


def test_outage_that_lay_wholly_inside_planned_work_is_not_counted(room: Room) -> None:
    order = measured(room, down=5 * 3600)
    (outage,) = Outage.objects.all()
    window = Maintenance.objects.create(
        title="New disks", starts_at=outage.started_at - timedelta(hours=1), ends_at=outage.started_at + HOUR
    )
    window.orders.add(order)
    Outage.objects.create(
        order=order,
        application="WFS",
        started_at=outage.started_at - timedelta(minutes=30),
        ended_at=outage.started_at + timedelta(minutes=30),
    )
    make_reports()
    assert MonthlyReport.objects.get().outages == 1


def test_of_a_rehearsal_nothing_is_owed(room: Room) -> None:
    measured(room, down=5 * 3600, sandbox=True)
    make_reports()
    assert MonthlyReport.objects.get().credit_state == "none"


def test_report_is_made_once_and_keeps_what_was_promised_then(room: Room) -> None:
    measured(room, down=5 * 3600)
    make_reports()
    Plan.objects.update(sla_promise=Decimal(90))
    assert make_reports() == 0
    assert MonthlyReport.objects.get().promise == Decimal("99.5")


def test_month_with_a_day_still_open_waits(room: Room) -> None:
    measured(room)
    DailyAvailability.objects.filter(day=date(2026, 6, 30)).update(closed_at=None)
    assert make_reports() == 0


def test_month_with_a_gap_to_be_filled_waits(room: Room) -> None:
    order = room.watched()
    DailyAvailability.objects.all().delete()
    room.drive.now = JULY_FIRST
    DailyAvailability.objects.create(order=order, day=date(2026, 6, 30), up=86400, closed_at=JULY_FIRST)
    night = JULY_FIRST - timedelta(hours=9)
    check = room.monitor(order).checks.get()
    BackfillRequest.objects.create(monitor_check=check, started_at=night, ended_at=JULY_FIRST)
    assert make_reports() == 0
    BackfillRequest.objects.update(started_at=JULY_FIRST - timedelta(hours=1))
    assert make_reports() == 1


def test_reported_month_keeps_its_days_whatever_is_learnt_later(room: Room) -> None:
    order = measured(room, down=3600)
    outages = Outage.objects.filter(order=order)
    june = Span(JULY_FIRST - timedelta(days=2), JULY_FIRST)
    make_reports()
    outages.update(started_at=JULY_FIRST - timedelta(days=1))
    measure_again([order.pk], june)
    assert DailyAvailability.objects.get(order=order, day=date(2026, 6, 30)).down == 3600
    MonthlyReport.objects.all().delete()
    measure_again([order.pk], june)
    assert DailyAvailability.objects.get(order=order, day=date(2026, 6, 30)).down != 3600


def test_months_in_which_nobody_worked_are_reported_afterwards(room: Room) -> None:
    room.drive.now = JULY_FIRST + timedelta(days=9)
    room.watched()
    room.drive.now += timedelta(days=102)
    close_days()
    assert make_reports() == 3
    assert list(MonthlyReport.objects.order_by("pk").values_list("month", flat=True)) == [
        date(2026, 7, 1),
        date(2026, 8, 1),
        date(2026, 9, 1),
    ]
    assert make_reports() == 0


def test_no_report_is_made_of_months_too_long_ago(room: Room) -> None:
    measured(room)
    room.drive.now = JULY_FIRST.replace(year=2027, month=6)
    assert make_reports() == 1
    MonthlyReport.objects.all().delete()
    room.drive.now += timedelta(days=31)
    assert make_reports() == 0


def test_month_whose_days_are_still_being_closed_waits(room: Room) -> None:
    order = room.watched()
    Monitor.objects.update(watched_from=JULY_FIRST - timedelta(days=30))
    DailyAvailability.objects.all().delete()
    room.drive.now = JULY_FIRST
    days = days_until(date(2026, 6, 20), 20)
    DailyAvailability.objects.bulk_create(
        DailyAvailability(order=order, day=day, up=86400, closed_at=JULY_FIRST) for day in days
    )
    assert make_reports() == 0
    Monitor.objects.update(watched_until=datetime(2026, 6, 21, tzinfo=company_zone()))
    assert make_reports() == 1


def test_days_of_other_months_are_not_in_it(room: Room) -> None:
    order = measured(room)
    for day in (date(2026, 5, 31), date(2026, 7, 1)):
        DailyAvailability.objects.create(order=order, day=day, down=86400, closed_at=JULY_FIRST)
    make_reports()
    assert MonthlyReport.objects.get(month=JUNE).down == 0


def test_making_takes_the_same_queries_for_few_and_for_many(room: Room) -> None:
    counts = []
    for many in (2, 12):
        for _ in range(many):
            measured(room, down=5 * 3600)
        counts.append(count_queries(make_reports))
    assert MonthlyReport.objects.count() == 14
    assert counts[0] == counts[1]


def test_credit_is_decided_once(room: Room) -> None:
    measured(room, down=5 * 3600)
    make_reports()
    report = MonthlyReport.objects.get()
    decide_credit(report=report, approve=True)
    with pytest.raises(Decided):
        decide_credit(report=report, approve=False)
    report.refresh_from_db()
    assert (report.credit_state, report.decided_at) == ("approved", room.drive.now)


LIST = "/admin/monitoring/monthlyreport/"


def enter(client: Client, *permissions: str) -> None:
    """Someone of the staff looks."""
    user = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def test_staff_read_the_report_and_decide_with_a_reason(room: Room, client: Client) -> None:
    measured(room, down=5 * 3600)
    make_reports()
    report = MonthlyReport.objects.get()
    enter(client, "view_monthlyreport", "decide_credit")
    page = client.get(f"{LIST}{report.pk}/change/").content.decode()
    for text in (
        "June 2026",
        "99.30",
        "€4.90",
        "WMS – HTTP 503 instead of 200",
        "Awaiting decision",
        "29 d 19 h",
        "5 h",
    ):
        assert text in page
    asked = {"action": "approve", "_selected_action": [report.pk], "confirmed": "yes", "why": "Our disk was full."}
    client.post(LIST, asked)
    report.refresh_from_db()
    assert report.credit_state == "approved"
    assert report.decided_by is not None
    assert "Our disk was full." in LogEntry.objects.get().change_message


def test_stranger_decides_nothing(room: Room, client: Client) -> None:
    measured(room, down=5 * 3600)
    make_reports()
    enter(client, "view_monthlyreport")
    client.post(LIST, {"action": "approve", "_selected_action": [MonthlyReport.objects.get().pk], "confirmed": "yes"})
    assert MonthlyReport.objects.get().credit_state == "due"
