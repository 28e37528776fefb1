"""Billing in the admin: who sees what, who records payments, and that nothing is edited by hand."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse

from billing.models import Invoice, InvoicePdf, Subscription
from core import clock
from tests.api.conftest import furnish, make_staff
from tests.factories import make_draft

pytestmark = pytest.mark.django_db
LIST = reverse("admin:billing_invoice_changelist")
SEE = ("billing.view_invoice", "billing.view_subscription", "billing.view_invoicepdf")


@pytest.fixture
def invoice() -> Invoice:
    furnish(make_draft())
    return Invoice.objects.get()


def staff(*permissions: str) -> Client:
    client = Client()
    client.force_login(make_staff(*permissions))
    return client


def mark_paid(client: Client, invoice: Invoice, **more: str) -> None:
    client.post(LIST, {"action": "mark_as_paid", "_selected_action": str(invoice.pk), **more})
    invoice.refresh_from_db()


def test_payment_is_recorded_after_confirmation_only(invoice: Invoice) -> None:
    client = staff(*SEE, "billing.settle_invoice")
    mark_paid(client, invoice)
    assert invoice.state == Invoice.State.OPEN
    mark_paid(client, invoice, confirmed="yes")
    assert (invoice.state, invoice.paid_on) == (Invoice.State.PAID, clock.today())


def test_staff_who_only_view_invoices_cannot_record_a_payment(invoice: Invoice) -> None:
    mark_paid(staff(*SEE), invoice, confirmed="yes")
    assert invoice.state == Invoice.State.OPEN


@pytest.mark.parametrize("model", [Invoice, Subscription, InvoicePdf])
def test_rows_cannot_be_added_or_deleted_by_hand_and_a_post_changes_nothing(invoice: Invoice, model: type) -> None:
    name = f"admin:billing_{model.__name__.lower()}"
    client = staff(*SEE, *(f"billing.{verb}_{model.__name__.lower()}" for verb in ("add", "change", "delete")))
    row = model.objects.get()
    before = model.objects.values().get()
    assert client.post(reverse(f"{name}_add")).status_code == 403
    assert client.post(reverse(f"{name}_delete", args=(row.pk,)), {"post": "yes"}).status_code == 403
    assert client.post(reverse(f"{name}_change", args=(row.pk,)), {"state": "paid"}).status_code == 403
    assert model.objects.values().get() == before


def test_pdf_is_served_to_those_who_may_see_the_invoice(invoice: Invoice) -> None:
    address = reverse("admin:billing_invoice_pdf", args=(invoice.pk,))
    assert staff(*SEE).get(address).status_code == 404  # not rendered yet
    path = default_storage.save("invoices/x.pdf", ContentFile(b"%PDF-1.7"))
    InvoicePdf.objects.update(path=path)
    answer = staff(*SEE).get(address)
    assert (answer["Content-Type"], b"".join(answer)) == ("application/pdf", b"%PDF-1.7")
    assert staff("orders.view_order").get(address).status_code == 404


def test_xml_is_linked_and_served_to_those_who_may_see_the_invoice(invoice: Invoice) -> None:
    address = reverse("admin:billing_invoice_xml", args=(invoice.pk, "cii"))
    assert staff(*SEE).get(address).status_code == 404  # not made yet
    path = default_storage.save("invoices/x.xml", ContentFile(b"<CrossIndustryInvoice/>"))
    InvoicePdf.objects.update(path=path, other_files={"cii": {"path": path, "sha256": ""}})
    answer = staff(*SEE).get(address)
    assert (answer["Content-Type"], b"".join(answer)) == ("application/xml", b"<CrossIndustryInvoice/>")
    assert address in staff(*SEE).get(LIST).content.decode()
    assert staff("orders.view_order").get(address).status_code == 404


def test_overdue_filter_lists_what_should_have_been_paid(invoice: Invoice, monkeypatch: pytest.MonkeyPatch) -> None:
    client = staff(*SEE)
    assert invoice.number not in client.get(f"{LIST}?overdue=yes").content.decode()
    monkeypatch.setattr("core.clock.today", lambda: invoice.due_on.replace(year=invoice.due_on.year + 1))
    page = client.get(f"{LIST}?overdue=yes").content.decode()
    assert invoice.number in page
    assert "Overdue" in page


def test_failed_pdf_is_retried_by_those_who_settle_invoices(invoice: Invoice) -> None:
    InvoicePdf.objects.update(failed_version=1, attempts=20, last_error="Pango is missing", next_attempt_at=None)
    address = reverse("admin:billing_invoicepdf_changelist")
    pdf = InvoicePdf.objects.get()
    data = {"action": "try_again", "_selected_action": str(pdf.pk), "confirmed": "yes"}
    staff(*SEE).post(address, data)
    pdf.refresh_from_db()
    assert pdf.has_failed
    staff(*SEE, "billing.settle_invoice").post(address, data)
    pdf.refresh_from_db()
    assert (pdf.has_failed, pdf.attempts) == (False, 0)
    assert pdf.next_attempt_at is not None
