"""What is owed, and the papers that say so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Invoice, InvoicePdf, Subscription
from core import clock
from customers.models import Customer, User
from orders.models import Order
from tests.factories import make_draft
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def make_invoice(order: Order, number: str, **fields: object) -> Invoice:
    today = clock.today()
    months = order.invoices.count()
    subscription, _made = Subscription.objects.get_or_create(
        order=order,
        defaults={
            "customer": order.customer,
            "description": "Maps",
            "price": 42,
            "setup_fee": 0,
            "currency": "EUR",
            "period": "month",
            "started_on": today,
            "next_invoice_on": today,
        },
    )
    values: dict[str, object] = {
        "number": number,
        "customer": order.customer,
        "order": order,
        "subscription": subscription,
        "period_start": today + timedelta(days=31 * months),
        "period_end": today + timedelta(days=31 * months + 30),
        "issued_on": today,
        "due_on": today + timedelta(days=14),
        "language": "en",
        "currency": "EUR",
        "seller": {},
        "buyer": {},
        "payment": {},
        "net": 42,
        "tax": "8.82",
        "gross": "50.82",
        "breakdown": [],
    }
    return Invoice.objects.create(**{**values, **fields})


def make_file(invoice: Invoice) -> None:
    path = default_storage.save(f"invoices/{invoice.number}.pdf", ContentFile(b"%PDF-1.7 maps"))
    InvoicePdf.objects.create(invoice=invoice, path=path)


@pytest.fixture
def order(customer: Customer) -> Order:
    return make_draft(customer=customer)


def test_an_invoice_is_listed_and_downloaded(order: Order, owner: User, onlooker: User, sign_in: SignIn) -> None:
    make_file(make_invoice(order, "2026-00001"))
    for user in (owner, onlooker):
        client = sign_in(user)
        page = client.get(f"/customers/{order.customer.number}/").content.decode()
        assert "/invoices/2026-00001/pdf/" in page
        assert "€50.82" in page
        response = client.get("/invoices/2026-00001/pdf/")
        assert response["Content-Disposition"] == 'attachment; filename="2026-00001.pdf"'
        assert response.getvalue() == b"%PDF-1.7 maps"


def test_a_strangers_invoice_is_no_page(order: Order, owner: User, stranger: User, sign_in: SignIn) -> None:
    make_file(make_invoice(order, "2026-00001"))
    assert sign_in(stranger).get("/invoices/2026-00001/pdf/").status_code == 404
    assert sign_in(owner).get("/invoices/2026-00002/pdf/").status_code == 404


def test_an_invoice_is_downloaded_as_xml(order: Order, owner: User, stranger: User, sign_in: SignIn) -> None:
    invoice = make_invoice(order, "2026-00001")
    make_file(invoice)
    assert sign_in(owner).get("/invoices/2026-00001/xml/").status_code == 404  # older than electronic invoices
    path = default_storage.save("invoices/2026-00001.ubl.xml", ContentFile(b"<Invoice/>"))
    InvoicePdf.objects.update(other_files={"ubl": {"path": path, "sha256": ""}})
    client = sign_in(owner)
    assert "/invoices/2026-00001/xml/" in client.get(f"/customers/{order.customer.number}/").content.decode()
    assert client.get("/invoices/2026-00001/xml/").getvalue() == b"<Invoice/>"
    assert sign_in(stranger).get("/invoices/2026-00001/xml/").status_code == 404


def test_an_invoice_that_is_not_printed_yet_says_so(order: Order, owner: User, sign_in: SignIn) -> None:
    InvoicePdf.objects.create(invoice=make_invoice(order, "2026-00001"))
    response = sign_in(owner).get("/invoices/2026-00001/pdf/", follow=True)
    assert "is not ready yet" in response.content.decode()


def test_how_an_invoice_stands_is_said(order: Order, owner: User, sign_in: SignIn) -> None:
    yesterday = clock.today() - timedelta(days=1)
    make_invoice(order, "2026-00001", state="paid", paid_on=yesterday)
    make_invoice(order, "2026-00002", issued_on=yesterday, due_on=yesterday)
    make_invoice(order, "SPECIMEN-2026-00001", is_specimen=True)
    page = sign_in(owner).get(f"/customers/{order.customer.number}/").content.decode()
    for text in ("Paid", "Overdue", "Specimen"):
        assert page.count(f">{text}</span>") == 1


def test_the_list_of_invoices_takes_a_fixed_number_of_queries(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    make_file(make_invoice(order, "2026-00001"))
    with CaptureQueriesContext(connection) as few:
        client.get(f"/customers/{order.customer.number}/")
    for number in range(2, 12):
        make_file(make_invoice(order, f"2026-{number:05}"))
    with CaptureQueriesContext(connection) as many:
        client.get(f"/customers/{order.customer.number}/")
    assert len(many) == len(few) <= 9


def test_the_order_page_shows_the_price_that_was_agreed(order: Order, owner: User, sign_in: SignIn) -> None:
    make_invoice(order, "2026-00001")
    Order.objects.filter(pk=order.pk).update(state="active", placed_at=clock.now(), approved_at=clock.now())
    page = sign_in(owner).get(f"/orders/{order.reference}/").content.decode()
    assert "€42.00" in page
    assert "2026-00001" in page
