"""The file of a report: printed by a worker, mailed once, read by whoever may see the order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from core.engine.controller import controllers
from core.errors import PermanentError
from customers.erasure.services import anonymise_customer
from customers.models import ApiToken, Message
from monitoring.models import MonthlyReport, ReportFile
from monitoring.reports.services import decide_credit, make_reports, print_again, print_reports
from orders.models import Order
from tests.factories import MembershipFactory, UserFactory
from tests.mails import render_waiting
from tests.monitoring.conftest import Room, count_queries
from tests.monitoring.reports.test_monthly import LIST, enter, measured

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _stand_in_for_the_printer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "monitoring.reports.tasks.report_pdf", lambda document: f"%PDF {document.credit_state}".encode()
    )


def print_due() -> int:
    """A worker has visited one file that was due."""
    return next(controller for controller in controllers() if controller.name == "report pdf").run()


def reported(room: Room, **fields: object) -> Order:
    """An order with a month below its promise and a report of it."""
    order = measured(room, down=5 * 3600, **fields)
    make_reports()
    return order


def content(report: MonthlyReport) -> bytes:
    with default_storage.open(ReportFile.objects.get(report=report).path) as file:
        return bytes(file.read())


def test_report_is_printed_and_mailed_once(room: Room) -> None:
    order = reported(room)
    assert print_due() == 1
    assert print_due() == 0
    report = MonthlyReport.objects.get()
    assert content(report) == b"%PDF due"
    render_waiting()
    mail = Message.objects.get(key=f"report:{order.reference}:2026-06")
    assert mail.subject == f"Availability of “{order.name}” in June 2026"
    assert "99.30 % of June 2026; the SLA is 99.50 %" in mail.text
    assert "entitled to a credit of €4.90" in mail.text
    assert f"/orders/{order.reference}/reports/2026-06/" in mail.text
    assert mail.attachments[0]["name"] == f"availability-{order.reference}-2026-06.pdf"


def test_decision_is_printed_and_not_mailed_again(room: Room) -> None:
    reported(room)
    print_due()
    report = MonthlyReport.objects.get()
    decide_credit(report=report, approve=True)
    assert print_due() == 1
    assert content(report) == b"%PDF approved"
    assert Message.objects.filter(key__startswith="report:").count() == 1


def test_nothing_is_mailed_where_nothing_was_promised_or_the_setting_says_no(room: Room, settings: Settings) -> None:
    reported(room)
    MonthlyReport.objects.update(promise=None)
    print_due()
    settings.MAIL_MONTHLY_REPORTS = False
    reported(room)
    print_due()
    assert ReportFile.objects.exclude(path="").count() == 2
    assert not Message.objects.filter(key__startswith="report:").exists()


def test_months_of_long_ago_are_printed_and_not_mailed(room: Room) -> None:
    reported(room)
    room.drive.now += timedelta(days=31)
    print_due()
    assert ReportFile.objects.exclude(path="").count() == 1
    assert not Message.objects.filter(key__startswith="report:").exists()


def test_report_without_a_file_gets_one_later(room: Room) -> None:
    reported(room)
    ReportFile.objects.all().delete()
    assert print_reports() == 1
    assert print_reports() == 0


def test_file_that_cannot_be_printed_waits_for_a_person(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(document: object) -> bytes:
        raise PermanentError("PDFs need Pango's libraries")

    reported(room)
    with monkeypatch.context() as patch:
        patch.setattr("monitoring.reports.tasks.report_pdf", refuse)
        print_due()
    row = ReportFile.objects.get()
    assert (row.has_failed, row.path) == (True, "")
    print_again(report=row.report)
    print_due()
    row.refresh_from_db()
    assert (row.has_failed, bool(row.path)) == (False, True)


def test_staff_download_the_file(room: Room, client: Client) -> None:
    reported(room)
    print_due()
    report = MonthlyReport.objects.get()
    enter(client, "view_monthlyreport")
    assert f"{LIST}{report.pk}/pdf/" in client.get(f"{LIST}{report.pk}/change/").content.decode()
    answer: Any = client.get(f"{LIST}{report.pk}/pdf/")
    assert answer["Content-Type"] == "application/pdf"
    assert b"".join(answer.streaming_content) == b"%PDF due"
    enter(client, "view_order")
    assert client.get(f"{LIST}{report.pk}/pdf/").status_code in (403, 404)


def test_customer_reads_lists_and_downloads_its_own_only(room: Room, client: Client) -> None:
    order, other = reported(room), reported(room)
    while print_due():
        pass
    client.force_login(MembershipFactory(customer=order.customer).user)
    here = f"/orders/{order.reference}/reports/"
    page = client.get(here).content.decode()
    assert "June 2026" in page
    assert "Credit €4.90, being confirmed" in page
    page = client.get(f"{here}2026-06/").content.decode()
    assert "99.30 %" in page
    assert "HTTP 503" in page
    file: Any = client.get(f"{here}2026-06/pdf/")
    assert b"".join(file.streaming_content) == b"%PDF due"
    for path in ("", "2026-06/", "2026-06/pdf/"):
        assert client.get(f"/orders/{other.reference}/reports/{path}").status_code == 404
    assert client.get(f"{here}2026-05/").status_code == 404


def test_list_of_months_takes_as_many_queries_for_many(room: Room, client: Client) -> None:
    order = reported(room)
    client.force_login(MembershipFactory(customer=order.customer).user)
    here = f"/orders/{order.reference}/reports/"
    client.get(here)
    few = count_queries(lambda: client.get(here))
    template = MonthlyReport.objects.get()
    for month in range(1, 6):
        template.pk, template.month = None, template.month.replace(month=month)
        template.save()
    assert count_queries(lambda: client.get(here)) == few


def test_program_reads_months_and_files_of_what_it_sees(room: Room) -> None:
    order = reported(room)
    here = f"/api/v1/orders/{order.reference}/reports/"

    def caller(customer: object = None) -> APIClient:
        who = MembershipFactory(customer=customer) if customer else MembershipFactory()
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {ApiToken.objects.create(user=who.user)[1]}")
        return client

    owner = caller(order.customer)
    (row,) = owner.get(here).json()["results"]
    assert (row["month"], row["availability"], row["promise"]) == ("2026-06", "99.30", "99.50")
    assert (row["credit"], row["credit_state"]) == ({"amount": "4.90", "currency": "EUR"}, "due")
    assert owner.get(f"{here}2026-06/").json() == row
    early = owner.get(f"{here}2026-06/pdf/", headers={"Accept": "application/pdf"})
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    print_due()
    file: Any = owner.get(f"{here}2026-06/pdf/", headers={"Accept": "application/pdf"})
    assert b"".join(file.streaming_content) == b"%PDF due"
    assert owner.get(f"{here}2026-05/").status_code == 404
    for no_month in ("soon", "2026-13", "0000-01", "99999-01", "2026-06-01", "2026-06%0A"):
        assert owner.get(f"{here}{no_month}/").status_code in (400, 404), no_month
    for path in ("", "2026-06/", "2026-06/pdf/"):
        assert caller().get(f"{here}{path}").status_code == 404


def test_reports_of_an_anonymised_customer_are_printed_without_its_name(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "monitoring.reports.tasks.report_pdf", lambda document: f"{document.customer}, {document.order}".encode()
    )
    order = reported(room)
    print_due()
    report = MonthlyReport.objects.get()
    decide_credit(report=report, approve=True)
    print_due()
    paths = [f"reports/2026-06/{order.reference}-{version}.pdf" for version in (1, 2, 3)]
    assert [default_storage.exists(path) for path in paths] == [True, True, False]
    assert order.customer.name.encode() in content(report)
    Order.objects.update(wanted="removed", state="removed")
    anonymise_customer(customer=order.customer, actor=UserFactory(is_staff=True), why="Request")
    assert print_due() == 1
    assert [default_storage.exists(path) for path in paths] == [False, False, True]
    number = order.customer.number
    assert content(report) == f"Anonymised customer {number}, {order.reference}".encode()


def test_report_that_was_not_printed_yet_is_mailed_to_no_anonymised_customer(room: Room) -> None:
    order = reported(room)
    Order.objects.update(wanted="removed", state="removed")
    anonymise_customer(customer=order.customer, actor=UserFactory(is_staff=True), why="Request")
    assert print_due() == 1
    assert not Message.objects.filter(key__startswith="report:").exists()
