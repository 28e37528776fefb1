"""A monthly report as a page and a file: whoever reads it learns what was promised, what was kept, and what is due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader
from pypdf.generic import StreamObject

from core.money import Money
from monitoring.charts.daily import Day
from monitoring.charts.response_times import chart, round_up
from monitoring.reports.document import ReportDocument, ReportOutage, ReportWindow, counted
from monitoring.reports.rendering import report_html, report_pdf
from monitoring.rules.availability import Figures, Span
from monitoring.templatetags.reporting import lasting, percent, response_time

MAY = date(2026, 5, 1)
NINE = datetime(2026, 5, 3, 7, tzinfo=UTC)
HOUR = timedelta(hours=1)


def outage(n: int = 0, **fields: object) -> ReportOutage:
    began = NINE + n * 17 * HOUR
    values = {"started_at": began, "ended_at": began + HOUR, "lasted": HOUR, "counted": HOUR}
    return ReportOutage(**{"application": "WMS", "cause": "answered 503", **values, **fields})  # type: ignore[arg-type]


PLAIN = ReportDocument(
    company="GeoCat",
    customer="Waterschap Zilverstroom",
    order="Open data",
    reference="GL7K3M",
    product="SDI lite",
    plan="Standard",
    month=MAY,
    language="en",
    zone="Europe/Amsterdam",
    figures=Figures(up=2_674_800, down=3600),
    availability=Decimal("99.86"),
    promise=Decimal("99.90"),
    credit_percent=Decimal("10.00"),
    credit=Money(Decimal("4.90"), "EUR"),
    credit_state="due",
    seconds_mean=0.2134,
    seconds_max=9.84,
    days=tuple(Day(day=MAY + timedelta(days=n), seconds_mean=0.2, answers=9) for n in range(31)),
    outages=(outage(),),
    windows=(ReportWindow(title="New disks", span=Span(NINE + 48 * HOUR, NINE + 50 * HOUR)),),
)


def test_page_says_what_was_promised_kept_and_is_due() -> None:
    page = report_html(PLAIN)
    for needed in (
        "Availability of Open data, May 2026", "99.86 %", "99.90 %", "€4.90", "10.00 % of the month's price",
        "We are confirming it", "30 d 23 h", "213 ms", "9.8 s", "WMS</strong>: answered 503", "3 May 2026, 09:00",
        "3 May 2026, 10:00", "1 h", "New disks", "Times are in Europe/Amsterdam",
    ):  # fmt: skip
        assert needed in page


@pytest.mark.parametrize(
    ("fields", "says", "silent"),
    [
        ({"credit_state": "approved"}, "has been approved", "confirming"),
        ({"credit_state": "declined"}, "no credit is given", "€4.90"),
        ({"availability": Decimal("99.90"), "credit_state": "none"}, "The SLA was met", "credit"),
        ({"promise": None, "credit_state": "none"}, "This plan has no SLA", "credit"),
        ({"availability": None, "credit_state": "none"}, "There are no data for this month", "was met"),
        ({"is_sandbox": True, "credit_state": "none"}, "no SLA and no credits apply", "terms include"),
    ],
)
def test_each_outcome_has_its_sentence(fields: dict[str, object], says: str, silent: str) -> None:
    page = report_html(replace(PLAIN, **fields))  # type: ignore[arg-type]
    assert says in page
    assert silent not in page


def test_empty_month_says_none_and_draws_nothing() -> None:
    page = report_html(replace(PLAIN, outages=(), windows=(), days=tuple(Day(day=day.day) for day in PLAIN.days)))
    assert "None." in page
    assert "No successful readings in this month" in page
    assert "<svg" not in page


def test_outage_that_goes_on_or_lies_in_maintenance_says_so() -> None:
    page = report_html(replace(PLAIN, outages=(outage(ended_at=None, counted=timedelta(minutes=20)),)))
    assert "after this month" in page
    assert "counted: 20 min" in page


def test_names_and_causes_are_text_and_never_markup() -> None:
    page = report_html(replace(PLAIN, order="<script>", outages=(outage(cause='<img src="file:///etc/passwd">'),)))
    assert "<script" not in page
    assert "<img" not in page


def test_figures_follow_the_language() -> None:
    page = report_html(replace(PLAIN, language="nl"))
    assert '<html lang="nl">' in page
    assert "99,86 %" in page
    # Coordinates of the drawing keep their points.
    assert 'height="44.0"' in page or 'height="110.0"' in page


def test_pdf_is_archivable_and_the_same_twice() -> None:
    pdf = report_pdf(PLAIN)
    assert report_pdf(PLAIN) == pdf
    reader = PdfReader(BytesIO(pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "Availability of Open data, May 2026"
    described = reader.root_object["/Metadata"].get_object()
    assert isinstance(described, StreamObject)
    assert b"pdfaid:part" in described.get_data()
    assert len(reader.pages) == 1
    assert "99.86 %" in reader.pages[0].extract_text()


def test_forty_outages_run_over_numbered_pages_with_headings() -> None:
    long = replace(PLAIN, outages=tuple(outage(n, cause="no answer within 10 s " * 6) for n in range(40)))
    texts = [page.extract_text() for page in PdfReader(BytesIO(report_pdf(long))).pages]
    assert len(texts) > 1
    for number, text in enumerate(texts, start=1):
        assert f"{number} / {len(texts)}" in text
    assert all("Endpoint and cause" in text for text in texts[:2])


def test_only_what_lies_in_the_month_and_outside_maintenance_counts() -> None:
    month = Span(datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC))
    window = Span(month.start, month.start + HOUR)
    span = Span(month.start - 5 * HOUR, month.start + 3 * HOUR)
    assert counted(span, month=month, windows=(window,)) == 2 * HOUR


@pytest.mark.parametrize(
    ("seconds", "top"), [(0.2, 0.2), (0.21, 0.5), (0.9, 1.0), (3.0, 5.0), (10.0, 10.0), (0.0, None)]
)
def test_scale_ends_at_a_round_number(seconds: float, top: float | None) -> None:
    if top is None:
        assert chart([Day(day=MAY, seconds_mean=seconds, answers=1)]) is None
    else:
        assert round_up(seconds) == pytest.approx(top)


def test_columns_are_as_high_as_their_share_and_absent_where_nothing_answered() -> None:
    drawn = chart(
        [Day(day=MAY, seconds_mean=0.5, answers=1), Day(day=MAY, seconds_mean=1.0, answers=1), Day(day=MAY, answers=0)]
    )
    assert drawn is not None
    assert [(column.y, column.height) for column in drawn.columns] == [(55.0, 55.0), (0.0, 110.0), (110.0, 0.0)]


def test_times_are_said_as_people_say_them() -> None:
    assert [lasting(timedelta(seconds=item)) for item in (0, 45, 60, 3661, 86400, 90000, 97200)] == [
        "0", "45 s", "1 min", "1 h 1 min", "1 d", "1 d 1 h", "1 d 3 h",
    ]  # fmt: skip
    assert [response_time(item) for item in (0.0, 0.0456, 0.9994, 1.26, 12)] == [
        "0 ms",
        "46 ms",
        "999 ms",
        "1.3 s",
        "12.0 s",
    ]
    assert percent(Decimal("99.50")) == "99.50 %"
