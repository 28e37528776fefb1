"""Reports: sums that agree with the documents they are made of, in euros where the tax office asks, and files."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.urls import reverse

from billing.invoicing.services import bill_due_subscriptions, credit_invoice, mark_paid
from billing.models import ExchangeRate, Invoice, InvoicePdf
from billing.payments.services import refund, register_payment
from billing.reports import bundle
from billing.reports.bundle import BundleTooLarge, FilesMissing, write_bundle
from billing.reports.exports import EXPORTS
from billing.reports.owed import owed_by_age
from billing.reports.revenue import HEIGHT, MonthOfRevenue, bars, revenue_by_month
from billing.reports.spans import NoSuchPeriod, span_of
from billing.reports.vat_return import vat_return
from core import clock
from tests.billing.admin.bookkeeper import bookkeeper, signed_in
from tests.billing.cast import DAY, make_customer, make_subscription

pytestmark = pytest.mark.django_db
Q1 = span_of("2026", "q1")
YEAR = span_of("2026")
PAGE = reverse("admin:billing_reports")


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


def sell(
    country: str = "NL", price: str = "100.00", *, currency: str = "EUR", vat_id: str = "", **more: Any
) -> Invoice:
    checked = clock.now() if vat_id else None
    kind = "company" if vat_id else "person"
    customer = make_customer(country, kind=kind, vat_id=vat_id, vat_id_checked_at=checked, **more)
    subscription = make_subscription(customer, price=Decimal(price), currency=currency)
    bill_due_subscriptions()
    return Invoice.objects.get(subscription=subscription)


def table(name: str, **query: str) -> list[list[str]]:
    answer = bookkeeper().get(reverse("admin:billing_report_csv", args=(name,)), {"year": "2026", **query})
    text = b"".join(answer).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize(
    ("part", "name", "start", "end"),
    [
        ("", "2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("q1", "2026-q1", date(2026, 1, 1), date(2026, 4, 1)),
        ("q4", "2026-q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2", "2026-02", date(2026, 2, 1), date(2026, 3, 1)),
        ("12", "2026-12", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_period_is_a_year_a_quarter_or_a_month(part: str, name: str, start: date, end: date) -> None:
    span = span_of("2026", part)
    assert (span.name, span.start, span.end) == (name, start, end)


@pytest.mark.parametrize(
    ("year", "part"), [("", ""), ("26", ""), ("x", ""), ("2026", "q5"), ("2026", "13"), ("2026", "0")]
)
def test_period_that_does_not_exist_is_refused(year: str, part: str) -> None:
    with pytest.raises(NoSuchPeriod):
        span_of(year, part)


def test_each_sale_is_in_one_place_of_the_vat_return() -> None:
    sell("NL")
    sell("DE")
    sell("FI", "10.00")
    sell("DE", vat_id="DE136695976", name="Karten GmbH")
    sell("CH")
    found = vat_return(Q1)
    assert [(line.country, line.rate, line.taxable, line.tax) for line in found.domestic] == [
        ("NL", Decimal(21), Decimal("100.00"), Decimal("21.00"))
    ]
    assert [(line.country, line.rate, line.taxable, line.tax) for line in found.oss] == [
        ("DE", Decimal(19), Decimal("100.00"), Decimal("19.00")),
        ("FI", Decimal("25.5"), Decimal("10.00"), Decimal("2.55")),
    ]
    assert [(line.vat_id, line.name, line.amount) for line in found.icp] == [
        ("DE136695976", "Karten GmbH", Decimal("100.00"))
    ]
    assert [(line.currency, line.amount) for line in found.outside] == [("EUR", Decimal("100.00"))]


def test_credit_notes_are_taken_off_where_the_sale_was() -> None:
    for invoice in (sell("NL"), sell("FI", "10.00"), sell("DE", vat_id="DE136695976")):
        credit_invoice(invoice=invoice, reason="A part", amounts={1: Decimal("4.00")})
    found = vat_return(Q1)
    assert (found.domestic[0].taxable, found.domestic[0].tax) == (Decimal("96.00"), Decimal("20.16"))
    assert (found.oss[0].taxable, found.oss[0].tax) == (Decimal("6.00"), Decimal("1.53"))
    assert found.icp[0].amount == Decimal("96.00")


def test_other_currencies_are_reported_in_euros_by_the_rate_of_the_invoice() -> None:
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.25"))
    sell("NL", currency="USD")
    found = vat_return(Q1)
    assert (found.domestic[0].taxable, found.domestic[0].tax) == (Decimal("80.00"), Decimal("16.80"))


def test_sales_outside_the_union_without_a_rate_stay_in_their_currency() -> None:
    sell("US", currency="USD")
    assert [(line.currency, line.amount) for line in vat_return(Q1).outside] == [("USD", Decimal("100.00"))]


def test_specimens_and_other_periods_are_left_out(on: Callable[[date], None]) -> None:
    make_subscription(sandbox=True)
    bill_due_subscriptions()
    on(date(2026, 4, 1))
    make_subscription(started_on=date(2026, 4, 1))
    bill_due_subscriptions()
    assert vat_return(Q1).domestic == ()
    assert vat_return(span_of("2026", "q2")).domestic[0].taxable == Decimal("49.00")


def test_vat_return_agrees_with_the_documents(on: Callable[[date], None]) -> None:
    for number in range(12):
        sell("NL", f"{number}.37")
    credit_invoice(invoice=Invoice.objects.order_by("pk")[5], reason="All")
    signed = [(-1 if row.kind == "credit_note" else 1) * row.tax for row in Invoice.objects.all()]
    assert vat_return(YEAR).domestic[0].tax == sum(signed)


def test_queries_of_a_return_do_not_grow_with_its_documents(django_assert_num_queries: Any) -> None:
    for _ in range(3):
        sell("NL")
    with django_assert_num_queries(1):
        vat_return(Q1)


def test_revenue_is_invoiced_less_credited_by_month_and_currency(on: Callable[[date], None]) -> None:
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.25"))
    invoice = sell("NL")
    sell("NL", currency="USD")
    on(date(2026, 3, 1))
    credit_invoice(invoice=invoice, reason="A part", amounts={1: Decimal("30.00")})
    found = revenue_by_month(YEAR)
    assert list(found) == ["EUR", "USD"]
    nets = [month.net for month in found["EUR"]]
    assert (len(nets), nets[0], nets[1], nets[2]) == (12, Decimal("100.00"), Decimal(0), Decimal("-30.00"))


def test_bars_are_as_high_as_the_best_month_and_losses_hang_below_the_line() -> None:
    months = [
        MonthOfRevenue(month=number, invoiced=Decimal(amount), credited=Decimal(0))
        for number, amount in enumerate(("200", "100", "0", "-50"), start=1)
    ]
    drawn = bars(months)
    assert [(bar.y, bar.height) for bar in drawn] == [(0, HEIGHT), (60, 60), (HEIGHT, 0), (HEIGHT, 30)]
    assert bars([MonthOfRevenue(month=1, invoiced=Decimal(0), credited=Decimal(0))])[0].height == 0


def test_what_is_owed_is_listed_by_age_to_the_cent(on: Callable[[date], None]) -> None:
    invoice = sell("NL")
    register_payment(customer=invoice.customer, amount=Decimal("21.00"), currency="EUR")
    due = invoice.due_on
    for age, bucket in ((0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (400, 4)):
        (row,) = owed_by_age(due + timedelta(days=age))
        amounts = [Decimal(0)] * 5
        amounts[bucket] = Decimal("100.00")
        assert (list(row.amounts), row.total) == (amounts, Decimal("100.00"))


def test_nothing_owed_is_no_line_and_two_currencies_are_two() -> None:
    assert owed_by_age(DAY) == []
    ExchangeRate.objects.create(currency="USD", published_on=DAY, per_euro=Decimal("1.25"))
    mark_paid(invoice=sell("NL"))
    sell("NL", currency="USD")
    sell("NL")
    assert [row.currency for row in owed_by_age(DAY)] == ["EUR", "USD"]


def test_table_of_invoices_has_a_line_for_each_and_negative_credit_notes() -> None:
    credit_invoice(invoice=sell("NL"), reason="A part", amounts={1: Decimal("30.00")})
    columns, invoice, note = table("invoices")
    assert columns[:3] == ["number", "kind", "corrects"]
    assert (invoice[0], invoice[10], invoice[13], invoice[14]) == ("2026-00001", "100.00", "21.00", "121.00")
    assert (note[0], note[2], note[10], note[14]) == ("C-2026-00001", "2026-00001", "-30.00", "-36.30")


def test_name_that_a_spreadsheet_would_run_is_text_and_amounts_stay_numbers() -> None:
    invoice = sell("NL", name='=HYPERLINK("http://evil.example")')
    credit_invoice(invoice=invoice, reason="A part", amounts={1: Decimal("30.00")})
    rows = table("invoices")[1:]
    assert {row[6] for row in rows} == {'\'=HYPERLINK("http://evil.example")'}
    assert rows[1][10] == "-30.00"


def test_table_of_payments_names_the_invoices_and_what_is_left(on: Callable[[date], None]) -> None:
    invoice = sell("NL")
    register_payment(customer=invoice.customer, amount=Decimal("130.00"), currency="EUR", reference="+31 6")
    refund(customer=invoice.customer, amount=Decimal("4.00"), currency="EUR")
    _columns, received, paid_back = table("payments", part="1")
    assert (received[1], received[6], received[7], received[8], received[9]) == (
        "received",
        "130.00",
        "5.00",
        "'+31 6",
        "2026-00001",
    )
    assert (paid_back[1], paid_back[6], paid_back[7]) == ("refund", "-4.00", "")
    assert len(table("payments", part="2")) == 1


@pytest.mark.parametrize("name", EXPORTS)
def test_every_table_can_be_downloaded_and_has_its_columns(name: str) -> None:
    for country, vat_id in (("NL", ""), ("DE", ""), ("DE", "DE136695976"), ("CH", "")):
        mark_paid(invoice=sell(country, vat_id=vat_id))
    rows = table(name)
    assert rows[0] == list(EXPORTS[name].columns)
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}


def test_icp_and_oss_tables_are_what_the_tax_office_asks() -> None:
    sell("DE", vat_id="DE136695976", name="Karten GmbH")
    sell("FI", "10.00")
    assert table("icp")[1:] == [["DE", "136695976", "Karten GmbH", "100.00"]]
    assert table("oss")[1:] == [["FI", "25.5", "10.00", "2.55"]]


def with_files(invoice: Invoice) -> None:
    pdf = default_storage.save(f"b/{invoice.number}.pdf", ContentFile(b"%PDF"))
    ubl = default_storage.save(f"b/{invoice.number}.xml", ContentFile(b"<Invoice/>"))
    InvoicePdf.objects.filter(invoice=invoice).update(path=pdf, other_files={"ubl": {"path": ubl, "sha256": ""}})


def test_bundle_has_pdf_and_ubl_of_each_document_and_the_table() -> None:
    invoice = sell("NL")
    note = credit_invoice(invoice=invoice, reason="A part", amounts={1: Decimal("30.00")})
    for row in (invoice, note):
        with_files(row)
    answer = bookkeeper().get(reverse("admin:billing_report_zip"), {"year": "2026", "part": "1"})
    assert answer["Content-Disposition"] == 'attachment; filename="documents-2026-01.zip"'
    with zipfile.ZipFile(io.BytesIO(b"".join(answer))) as found:
        names = [f"{number}.{kind}" for number in ("2026-00001", "C-2026-00001") for kind in ("pdf", "xml")]
        assert sorted(found.namelist()) == sorted(["invoices.csv", *names])
        assert found.read("2026-00001.xml") == b"<Invoice/>"
        assert b"C-2026-00001" in found.read("invoices.csv")


def test_bundle_without_a_file_is_refused_and_says_which() -> None:
    invoice = sell("NL")
    with pytest.raises(FilesMissing, match=invoice.number):
        write_bundle(Q1)
    answer = bookkeeper().get(reverse("admin:billing_report_zip"), {"year": "2026"}, follow=True)
    assert f"The files of {invoice.number} are not ready" in answer.content.decode()


def test_bundle_of_too_many_documents_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "LARGEST", 1)
    for _ in range(2):
        sell("NL")
    with pytest.raises(BundleTooLarge, match="shorter period"):
        write_bundle(Q1)


def test_page_shows_chart_returns_and_files_of_the_period() -> None:
    sell("NL")
    sell("DE", vat_id="DE136695976", name="Karten GmbH")
    text = bookkeeper().get(PAGE, {"year": "2026", "part": "q1"}).content.decode()
    for expected in ("€200.00", "Karten GmbH", "€21.00", "<rect", "invoices.csv?year=2026&amp;part=q1", "Not due yet"):
        assert expected in text


def test_page_of_an_empty_year_and_of_no_year() -> None:
    assert "Nothing was invoiced." in bookkeeper().get(PAGE, {"year": "2025"}).content.decode()
    answer = bookkeeper().get(PAGE, {"year": "x"}, follow=True)
    assert "is not a year" in answer.content.decode()
    assert bookkeeper().get(reverse("admin:billing_report_csv", args=("vat",)), {"year": "x"}).status_code == 404
    assert bookkeeper().get(reverse("admin:billing_report_csv", args=("gold",))).status_code == 404


@pytest.mark.parametrize(
    "address", [PAGE, reverse("admin:billing_report_csv", args=("icp",)), reverse("admin:billing_report_zip")]
)
def test_reports_are_closed_to_staff_who_may_not_see_invoices_and_payments(address: str) -> None:
    assert signed_in("billing.view_invoice").get(address).status_code == 403
    assert signed_in("orders.view_order").get(address).status_code == 403


def test_list_of_invoices_leads_to_the_reports() -> None:
    answer = bookkeeper().get(reverse("admin:billing_invoice_reports"))
    assert (answer.status_code, answer["Location"]) == (302, PAGE)
