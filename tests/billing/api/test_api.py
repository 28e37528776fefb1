"""Subscriptions and invoices through the API: who sees which rows, amounts as text, and the file."""

from __future__ import annotations

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from billing.models import Invoice, InvoicePdf
from orders.models import Order

# The callers of tests/api.
from tests.api.conftest import (  # noqa: F401
    _fresh_throttles,
    calling,
    customer,
    draft,
    operator,
    order,
    owner,
    stranger,
    viewer,
)

pytestmark = pytest.mark.django_db
INVOICES, SUBSCRIPTIONS = "/api/v1/invoices/", "/api/v1/subscriptions/"


@pytest.fixture
def invoice(order: Order) -> Invoice:  # noqa: F811
    return Invoice.objects.get(order=order)


def test_owner_reads_amounts_as_text_with_their_currency(invoice: Invoice, owner: APIClient) -> None:  # noqa: F811
    row = owner.get(f"{INVOICES}{invoice.number}/").json()
    assert row["gross"] == {"amount": "59.29", "currency": "EUR"}
    assert [line["net"]["amount"] for line in row["lines"]] == ["49.00"]
    assert (row["order"], row["state"], row["specimen"]) == (Order.objects.get().reference, "open", False)


def test_stranger_finds_neither_the_invoice_nor_its_file(invoice: Invoice, stranger: APIClient) -> None:  # noqa: F811
    assert stranger.get(INVOICES).json()["results"] == []
    assert stranger.get(SUBSCRIPTIONS).json()["results"] == []
    assert stranger.get(f"{INVOICES}{invoice.number}/").status_code == 404
    assert stranger.get(f"{INVOICES}{invoice.number}/pdf/").status_code == 404


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_issued_invoice_cannot_be_written_through_the_api(
    invoice: Invoice,
    owner: APIClient,  # noqa: F811
    verb: str,
) -> None:
    answer = getattr(owner, verb)(f"{INVOICES}{invoice.number}/", {"state": "paid"}, format="json")
    invoice.refresh_from_db()
    assert (answer.status_code, invoice.state) == (405, Invoice.State.OPEN)


def test_file_that_is_not_rendered_yet_is_a_problem_and_not_an_error(
    invoice: Invoice,
    owner: APIClient,  # noqa: F811
) -> None:
    answer = owner.get(f"{INVOICES}{invoice.number}/pdf/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_stored_file_is_served_byte_by_byte(invoice: Invoice, owner: APIClient) -> None:  # noqa: F811
    path = default_storage.save("invoices/api.pdf", ContentFile(b"%PDF-1.7 as issued"))
    InvoicePdf.objects.update(path=path)
    answer = owner.get(f"{INVOICES}{invoice.number}/pdf/", HTTP_ACCEPT="application/pdf")
    assert (answer["Content-Type"], b"".join(answer)) == ("application/pdf", b"%PDF-1.7 as issued")


@pytest.mark.parametrize(
    ("query", "count"),
    [("state=open", 1), ("state=paid", 0), ("specimen=true", 0), ("specimen=false", 1), ("order=GL0000", 0)],
)
def test_invoices_are_filtered(invoice: Invoice, operator: APIClient, query: str, count: int) -> None:  # noqa: F811
    assert len(operator.get(f"{INVOICES}?{query}").json()["results"]) == count


def test_subscription_shows_what_was_agreed(order: Order, viewer: APIClient) -> None:  # noqa: F811
    (row,) = viewer.get(f"{SUBSCRIPTIONS}?order={order.reference}&state=active").json()["results"]
    assert (row["price"]["amount"], row["period"], row["ended_on"]) == ("49.00", "month", None)


def test_list_of_invoices_costs_the_same_queries_for_many(
    invoice: Invoice,
    owner: APIClient,  # noqa: F811
    django_assert_max_num_queries: object,
) -> None:
    with django_assert_max_num_queries(10):  # type: ignore[operator]
        assert owner.get(INVOICES).status_code == 200
