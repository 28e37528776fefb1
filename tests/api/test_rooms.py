"""What the rooms above show of an order, and to whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from rest_framework.test import APIClient

from billing.models import InvoicePdf
from orders.models import Order

pytestmark = pytest.mark.django_db


def test_customer_reads_where_to_connect(owner: APIClient, order: Order) -> None:
    (server,) = owner.get(f"/api/v1/servers/?order={order.reference}").json()["results"]
    assert (server["provider"], server["address"], server["settled"]) == ("rehearsal", "10.0.0.7", False)
    (endpoint,) = server["endpoints"]
    assert endpoint["url"] == f"http://maps.example/{order.reference}/wms"
    assert endpoint["is_ok"] is None
    assert "secret-check" not in str(server)


def test_services_are_shown_as_last_seen(owner: APIClient, order: Order) -> None:
    (service,) = owner.get(f"/api/v1/services/?order={order.reference}&state=running").json()["results"]
    assert (service["order"], service["name"], service["state"]) == (order.reference, "gateway", "running")


def test_monitor_tells_how_each_address_stands(owner: APIClient, order: Order) -> None:
    (monitor,) = owner.get(f"/api/v1/monitors/?order={order.reference}&state=up").json()["results"]
    (check,) = monitor["checks"]
    assert (monitor["state"], check["endpoint"], check["message"]) == ("up", "wms", "HTTP 200")
    assert "4711" not in str(monitor)


def test_words_of_the_outside_are_for_staff(owner: APIClient, operator: APIClient, order: Order) -> None:
    here = f"/api/v1/servers/{order.server.pk}/"
    assert owner.get(here).json()["last_error"] == ""
    assert operator.get(here).json()["last_error"] == "node 4711 is slow"


def test_subscription_tells_what_is_asked_and_when(owner: APIClient, order: Order) -> None:
    (row,) = owner.get(f"/api/v1/subscriptions/?order={order.reference}&state=active").json()["results"]
    assert (row["price"], row["period"]) == ({"amount": "49.00", "currency": "EUR"}, "month")
    assert row["next_invoice_on"] > row["started_on"]


def test_invoice_is_shown_as_it_was_issued(owner: APIClient, order: Order) -> None:
    (row,) = owner.get(f"/api/v1/invoices/?customer={order.customer.number}&state=open&specimen=false").json()[
        "results"
    ]
    assert row["buyer"]["name"] == "Waterschap Vallei"
    assert row["lines"][0]["net"] == row["net"] == {"amount": "49.00", "currency": "EUR"}
    assert Decimal(row["gross"]["amount"]) == Decimal(row["net"]["amount"]) + Decimal(row["tax"]["amount"])
    assert owner.get(f"/api/v1/invoices/{row['number']}/").json() == row


def test_pdf_of_an_invoice_is_a_conflict_until_it_is_made(owner: APIClient, stranger: APIClient, order: Order) -> None:
    invoice = order.invoices.get()
    here = f"/api/v1/invoices/{invoice.number}/pdf/"
    early = owner.get(here, headers={"Accept": "application/pdf"})
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    path = default_storage.save("invoices/test.pdf", ContentFile(b"%PDF-1.7 of the valley"))
    InvoicePdf.objects.filter(invoice=invoice).update(path=path)
    for accept in ("application/pdf", "*/*"):
        file: Any = owner.get(here, headers={"Accept": accept})
        assert (file.status_code, file["Content-Type"]) == (200, "application/pdf")
        assert b"".join(file.streaming_content) == b"%PDF-1.7 of the valley"
    assert f"{invoice.number}.pdf" in file["Content-Disposition"]
    assert stranger.get(here).status_code == 404


def test_xml_of_an_invoice_is_served_in_both_syntaxes(owner: APIClient, stranger: APIClient, order: Order) -> None:
    invoice = order.invoices.get()
    here = f"/api/v1/invoices/{invoice.number}/xml/"
    assert owner.get(here).json()["code"] == "not_ready"
    files = {
        syntax: {"path": default_storage.save(f"invoices/{syntax}.xml", ContentFile(content)), "sha256": ""}
        for syntax, content in (("ubl", b"<Invoice/>"), ("cii", b"<CrossIndustryInvoice/>"))
    }
    InvoicePdf.objects.filter(invoice=invoice).update(other_files=files)
    for path, content in (("", b"<Invoice/>"), ("cii/", b"<CrossIndustryInvoice/>")):
        file: Any = owner.get(here + path, headers={"Accept": "application/xml"})
        assert (file.status_code, file["Content-Type"]) == (200, "application/xml")
        assert b"".join(file.streaming_content) == content
    assert stranger.get(here).status_code == 404


@pytest.mark.parametrize("path", ["servers", "services", "monitors", "subscriptions", "invoices"])
def test_rows_of_another_customer_are_not_there(stranger: APIClient, order: Order, path: str) -> None:
    assert stranger.get(f"/api/v1/{path}/").json()["results"] == []
    assert stranger.get(f"/api/v1/{path}/?order={order.reference}").json()["results"] == []
