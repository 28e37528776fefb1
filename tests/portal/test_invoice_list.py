"""The page of invoices: what there is, what is to be paid, and how."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Invoice
from core import clock
from customers.choices import Role
from customers.models import Customer, Membership, User
from orders.models import Order
from tests.factories import UserFactory, make_draft
from tests.portal.conftest import SignIn
from tests.portal.test_invoices import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    return make_draft(customer=customer)


def test_what_is_to_be_paid_comes_with_how_to_pay_it(order: Order, owner: User, sign_in: SignIn) -> None:
    account = {"iban": "NL91ABNA0417164300", "bic": "ABNANL2A", "account_holder": "Geocat"}
    invoice = make_invoice(order, "2026-00001", payment=account, due_on=clock.today() - timedelta(days=3))
    page = sign_in(owner).get("/invoices/").content.decode()
    assert "To be paid" in page
    assert 'data-copy="NL91ABNA0417164300"' in page
    assert f'data-copy="{invoice.number}"' in page
    assert "Overdue" in page


def test_without_an_account_the_invoice_itself_says_how(order: Order, owner: User, sign_in: SignIn) -> None:
    make_invoice(order, "2026-00001", payment={})
    assert "How to pay is on the invoice." in sign_in(owner).get("/invoices/").content.decode()


def test_paid_invoices_and_specimens_are_listed_but_not_to_be_paid(order: Order, owner: User, sign_in: SignIn) -> None:
    make_invoice(order, "SPECIMEN-1", is_specimen=True)
    page = sign_in(owner).get("/invoices/").content.decode()
    assert "SPECIMEN-1" in page
    assert "To be paid" not in page


def test_an_empty_page_says_when_there_will_be_something(owner: User, sign_in: SignIn) -> None:
    assert "No invoices yet" in sign_in(owner).get("/invoices/").content.decode()


def test_a_role_without_invoices_is_explained(order: Order, customer: Customer, sign_in: SignIn) -> None:
    make_invoice(order, "2026-00001")
    technical = UserFactory()
    Membership.objects.create(user=technical, customer=customer, role=Role.TECHNICAL)
    page = sign_in(technical).get("/invoices/").content.decode()
    assert "2026-00001" not in page
    assert "Your role does not show invoices" in page


def test_a_stranger_sees_none_of_them(order: Order, stranger: User, sign_in: SignIn) -> None:
    make_invoice(order, "2026-00001")
    assert "2026-00001" not in sign_in(stranger).get("/invoices/").content.decode()


def test_many_invoices_take_no_more_queries(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    make_invoice(order, "2026-00001")
    client.get("/invoices/")
    with CaptureQueriesContext(connection) as few:
        client.get("/invoices/")
    for number in range(2, 30):
        make_invoice(order, f"2026-{number:05}")
    with CaptureQueriesContext(connection) as many:
        page = client.get("/invoices/").content.decode()
    assert len(many) == len(few) <= 10
    assert "Page 1 of 2" in page
    assert Invoice.objects.count() == 29
