"""What billing shows on the page of an order: its subscription, its invoices, and what a draft would cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.utils import translation

from billing.invoicing.services import bill_due_subscriptions, mark_paid
from billing.models import Invoice
from billing.order_panel import BillingPanels
from core import clock
from customers.models import User
from orders.choices import Part
from orders.models import Order
from tests.api.conftest import make_staff
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.factories import MembershipFactory, make_draft

pytestmark = pytest.mark.django_db
PANELS = BillingPanels()


@pytest.fixture(autouse=True)
def _day(on: Callable[[date], None]) -> None:
    on(DAY)


@pytest.fixture
def order() -> Order:
    subscription = make_subscription()
    bill_due_subscriptions()
    return subscription.order


def test_subscription_is_a_part_without_attempts(order: Order) -> None:
    (row,) = PANELS.part_rows(order)
    assert (row.part, row.name, row.attempts, row.last_error) == (Part.SUBSCRIPTION, "Active", 0, "")
    assert str(order.subscription.pk) in row.url
    assert list(PANELS.part_rows(make_draft())) == []


def test_invoices_of_the_order_are_listed_newest_first(order: Order, on: Callable[[date], None]) -> None:
    on(date(2026, 3, 15))
    bill_due_subscriptions()
    (panel,) = PANELS.panels(order)
    numbers = [invoice.number for invoice in panel.values["invoices"]]
    assert numbers == ["2026-00003", "2026-00002", "2026-00001"]
    assert list(PANELS.panels(make_draft())) == []


@pytest.mark.parametrize(
    ("country", "vat_id", "value", "why"),
    [
        ("NL", "", "€59.29: €49.00 and €10.29 VAT", ""),
        ("DE", "DE136695976", "€49.00: €49.00 and €0.00 VAT", "Reverse charge"),
        ("US", "", "€49.00: €49.00 and €0.00 VAT", "Outside the scope"),
    ],
)
def test_draft_says_what_its_first_invoice_comes_to_and_why_no_vat(
    country: str, vat_id: str, value: str, why: str
) -> None:
    checked = clock.now() if vat_id else None
    order = make_draft(customer=make_customer(country, vat_id=vat_id, vat_id_checked_at=checked))
    with translation.override("en"):
        facts = {fact.label: fact.value for fact in PANELS.plan(order)}
    assert facts["First invoice"] == value
    assert facts.get("Why no VAT", "").startswith(why)


def test_sandbox_draft_says_that_it_costs_nothing() -> None:
    (fact,) = PANELS.plan(make_draft(customer=make_customer(), sandbox=True))
    assert "specimen, no charge" in fact.value


def test_plan_for_programs_has_each_line_with_its_currency() -> None:
    order = make_draft(customer=make_customer(), plan_fields={"setup_fee": Decimal("95.00")})
    planned = PANELS.planned(order, inside=True)["first_invoice"]
    assert [line["net"] for line in planned["lines"]] == [
        {"amount": "95.00", "currency": "EUR"},
        {"amount": "49.00", "currency": "EUR"},
    ]
    assert (planned["net"]["amount"], planned["tax"]["amount"], planned["gross"]["amount"]) == (
        "144.00",
        "30.24",
        "174.24",
    )
    assert planned["specimen"] is False


def test_removal_says_that_the_subscription_ends_and_what_remains_payable(order: Order) -> None:
    assert list(PANELS.would_destroy(order)) == ["Its subscription ends; 1 open invoice remains payable."]
    mark_paid(invoice=Invoice.objects.get())
    assert list(PANELS.would_destroy(order)) == ["Its subscription ends."]
    assert list(PANELS.would_destroy(make_draft())) == []


def names_seen(user: User) -> list[str]:
    return list(Invoice.objects.visible_to(user).values_list("number", flat=True))


def test_invoices_are_seen_by_those_who_may(order: Order) -> None:
    member = MembershipFactory(customer=order.customer).user
    stranger = MembershipFactory().user
    assert names_seen(member) == ["2026-00001"]
    assert names_seen(stranger) == []
    assert names_seen(make_staff("billing.view_invoice")) == ["2026-00001"]
    assert names_seen(make_staff("orders.view_order")) == []
