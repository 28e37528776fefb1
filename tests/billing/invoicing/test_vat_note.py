"""A draft says why no VAT is charged; no invoice is issued without what the law asks for."""

from __future__ import annotations

import pytest
from django.test import Client

from billing.invoicing.services import bill_due_subscriptions
from billing.models import Invoice
from billing.subscriptions.reconcile import reconcile_orders
from core import clock
from customers.models import Address, Customer
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, report
from tests.factories import AddressFactory, CustomerFactory, MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

NOTES = {"NO": "outside the European Union", "BE": "Reverse charge", "NL": ""}


def customer_in(country: str) -> Customer:
    vat = {"vat_id": "BE0403170701"} if country == "BE" else {}
    customer: Customer = CustomerFactory(kind="company", address=None, **vat)
    Customer.objects.filter(pk=customer.pk).update(vat_id_checked_at=clock.now() if vat else None)
    AddressFactory(customer=customer, country=country)
    customer.refresh_from_db()
    return customer


@pytest.mark.parametrize("country", NOTES)
def test_portal_and_admin_say_why_a_draft_bears_no_vat(client: Client, country: str) -> None:
    order = make_draft(customer=customer_in(country))
    client.force_login(MembershipFactory(customer=order.customer).user)
    portal = client.get(f"/orders/{order.reference}/")
    assert portal.status_code == 200
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    admin = client.get(f"/admin/orders/order/{order.pk}/change/")
    assert ("Why no VAT" in admin.content.decode()) is bool(NOTES[country])
    for page in (portal, admin):
        text = page.content.decode()
        assert NOTES[country] in text
        if not NOTES[country]:
            assert not any(note in text for note in NOTES.values() if note)


def test_no_invoice_is_issued_to_a_customer_without_an_address() -> None:
    order: Order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    Address.objects.all().delete()
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=1)
    reconcile_orders([order.pk])
    bill_due_subscriptions()
    assert not Invoice.objects.exists()


def test_issued_invoice_has_seller_buyer_number_and_dates() -> None:
    order: Order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=1)
    reconcile_orders([order.pk])
    bill_due_subscriptions()
    invoice = Invoice.objects.get()
    assert invoice.number
    assert invoice.due_on >= invoice.issued_on
    assert invoice.period_end > invoice.period_start
    assert "country" in invoice.seller
    for field in ("name", "street", "postal_code", "city", "country"):
        assert invoice.buyer[field]
