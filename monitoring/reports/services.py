"""Monthly reports: made once a month is over and closed, and what staff decide about their credits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows, want
from core.errors import Refusal
from customers.models import Customer, User
from monitoring.history.measurement import company_zone, today
from monitoring.maintenance.services import windows_of
from monitoring.models import BackfillRequest, DailyAvailability, Monitor, MonthlyReport, Outage, ReportFile
from monitoring.rules.availability import Figures, Span, intersection, month_span, next_month, without
from monitoring.rules.sla_credit import credit_due
from orders.models import Order

AT_ONCE = 500
MONTHS_BACK = 12  # days are closed no further back than that (monitoring.history.measurement)
Credit = MonthlyReport.Credit


class Decided(Refusal):
    """No credit of this report awaits a decision."""

    code = "decided"


def make_reports() -> int:
    """Every order has its report of each month that is over, once all its days are closed; returns how many were made.

    Gaps in a month are filled first, since afterwards its figures stay as they are. Months in which no worker ran are
    made good, oldest first, as far back as `MONTHS_BACK`.
    """
    made = 0
    for month in _months_over():
        orders = _ready(month)
        for start in range(0, len(orders), AT_ONCE):
            _make(month, orders[start : start + AT_ONCE])
        made += len(orders)
    while print_reports():
        pass
    return made


def _months_over() -> list[date]:
    months = [today().replace(day=1)]
    for _month in range(MONTHS_BACK):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[:0:-1]


def _ready(month: date) -> list[int]:
    """The orders that were measured in that month, have no report of it, and nothing more to learn about it."""
    days = DailyAvailability.objects.filter(day__gte=month, day__lt=next_month(month))
    open_days = days.filter(closed_at__isnull=True)
    reported = MonthlyReport.objects.filter(month=month)
    requests = BackfillRequest.objects.filter(started_at__lt=month_span(month, company_zone()).end)
    fresh = days.exclude(order__in=open_days.values("order")).exclude(order__in=reported.values("order"))
    fresh = fresh.exclude(order__in=requests.values("monitor_check__monitor__order"))
    return _closed_to_the_end(month, dict(fresh.order_by().values_list("order").annotate(last=Max("day"))))


def _closed_to_the_end(month: date, last_days: Mapping[int, date]) -> list[int]:
    """Those of which no day of the month is still to be made: after a long rest, days are closed one by one."""
    end = next_month(month) - timedelta(days=1)
    early = [order for order, last in last_days.items() if last < end]
    monitors = Monitor.objects.filter(order__in=early).values_list("order", "watched_until") if early else ()
    measured = {order: _last_day(until) or end for order, until in monitors}
    return sorted(order for order, last in last_days.items() if last >= min(end, measured.get(order, last)))


def _last_day(watched_until: datetime | None) -> date | None:
    """The day on which a monitor that is gone was measured last; one that ended at midnight ended the day before."""
    if watched_until is None:
        return None
    return timezone.localdate(watched_until - timedelta(microseconds=1), company_zone())


def _make(month: date, pks: list[int]) -> None:
    """Five queries for all of them; who makes the same at the same moment changes nothing."""
    period = month_span(month, company_zone())
    sums = _sums(month, pks)
    outages = _outages(period, pks)
    orders = Order.objects.filter(pk__in=pks).select_related("plan")
    rows = [_report(order, month, sums[order.pk], outages[order.pk]) for order in orders]
    MonthlyReport.objects.bulk_create(rows, ignore_conflicts=True)


def _outages(period: Span, pks: list[int]) -> Counter[int]:
    """How many of each order have some time in `period` outside its maintenance."""
    windows = windows_of(pks, period)
    rows = Outage.objects.touching(period).filter(order__in=pks).only("order", "started_at", "ended_at")
    spans = ((row.order_id, row.span(period.end)) for row in rows)
    return Counter(order for order, span in spans if without(intersection([span], [period]), windows.get(order, ())))


def _sums(month: date, pks: list[int]) -> dict[int, dict[str, Any]]:
    names = ("up", "down", "maintenance", "unknown", "answers", "seconds_total")
    rows = DailyAvailability.objects.filter(order__in=pks, day__gte=month, day__lt=next_month(month)).order_by()
    summed = rows.values("order").annotate(**{f"all_{name}": Sum(name) for name in names}, longest=Max("seconds_max"))
    return {row["order"]: dict(row) for row in summed}


def _report(order: Order, month: date, sums: dict[str, Any], outages: int) -> MonthlyReport:
    parts = {name: sums[f"all_{name}"] for name in ("up", "down", "maintenance", "unknown")}
    availability, terms = Figures(**parts).percentage, order.terms
    due = credit_due(
        availability=availability,
        promise=None if order.is_sandbox else terms.promise,  # no credit in the sandbox
        percent=terms.credit,
        price=terms.price,
        period=terms.period,
        currency=terms.currency,
    )
    return MonthlyReport(
        order=order,
        month=month,
        **parts,
        availability=availability,
        outages=outages,
        seconds_mean=sums["all_seconds_total"] / sums["all_answers"] if sums["all_answers"] else 0.0,
        seconds_max=sums["longest"],
        promise=terms.promise,
        credit_percent=terms.credit,
        credit=due,
        currency=terms.currency,
        credit_state=Credit.DUE if due else Credit.NONE,
    )


@transaction.atomic
def print_reports() -> int:
    """Reports without a file get one from a worker; returns how many, at most `AT_ONCE` at a time."""
    now = clock.now()
    reports = list(MonthlyReport.objects.without_file().order_by("pk")[:AT_ONCE])
    ReportFile.objects.bulk_create(
        [ReportFile(report=report, next_attempt_at=now) for report in reports], ignore_conflicts=True
    )
    enqueue_rows("report pdf", ReportFile.objects.filter(report__in=reports).values_list("pk", flat=True))
    return len(reports)


@transaction.atomic
def print_again(*, report: MonthlyReport) -> None:
    """The PDF is generated again from the present report; the former one stays until then."""
    file, made = ReportFile.objects.select_for_update().get_or_create(
        report=report, defaults={"next_attempt_at": clock.now()}
    )
    if not made:
        want(ReportFile.objects.filter(pk=file.pk), file.wanted_version + 1)
    enqueue_rows("report pdf", [file.pk])


@transaction.atomic
def print_without_names(customer: Customer) -> None:
    """The reports of a customer that is being anonymised will be printed again; a worker removes the former files."""
    files = ReportFile.objects.filter(report__order__customer=customer)
    files.update(
        wanted_version=F("wanted_version") + 1, next_attempt_at=clock.now(), attempts=0, last_error="", queued_at=None
    )
    enqueue_rows("report pdf", files.values_list("pk", flat=True))


@transaction.atomic
def decide_credit(*, report: MonthlyReport, approve: bool, actor: User | None = None) -> None:
    """The credit is approved or declined, once and for all; a credit note is made of what was approved elsewhere."""
    state = Credit.APPROVED if approve else Credit.DECLINED
    undecided = MonthlyReport.objects.undecided().filter(pk=report.pk)
    if not undecided.update(credit_state=state, decided_at=clock.now(), decided_by=actor, updated_at=clock.now()):
        raise Decided(_("No credit of %(report)s awaits a decision.") % {"report": report})
    print_again(report=report)
