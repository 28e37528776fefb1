"""WHMCS bills instead: lines go there once, whatever gets lost on the way, and payments come back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from billing.invoicing.services import bill_due_subscriptions
from billing.models import (
    BillingRun,
    Invoice,
    PendingCharge,
    Subscription,
    WhmcsInvoice,
    WhmcsPeriod,
)
from billing.subscriptions.services import start_subscriptions
from billing.whmcs.services import InvoiceNotFailed, retry_invoice
from billing.whmcs.tasks import WhmcsInvoiceController, read_payments
from core import clock
from customers.models import Customer, WhmcsClientRow
from customers.whmcs.simulator.server import IDENTIFIER, SECRET, Simulator, running
from tests.billing.admin.bookkeeper import bookkeeper, reader
from tests.billing.cast import DAY, make_customer, make_subscription
from tests.factories import make_draft

pytestmark = pytest.mark.django_db
State = WhmcsInvoice.State


@pytest.fixture
def whmcs(on: Callable[[date], None], settings: Any, socket_enabled: None) -> Iterator[Simulator]:
    """A WHMCS with one client."""
    on(DAY)
    settings.BILLING_BY = "whmcs"
    with running(Simulator()) as simulator:
        simulator.records.add_client()
        settings.WHMCS_URL, settings.WHMCS_IDENTIFIER, settings.WHMCS_SECRET = simulator.url, IDENTIFIER, SECRET
        yield simulator


@pytest.fixture
def customer(whmcs: Simulator) -> Customer:
    """The client of WHMCS as we have it."""
    row = make_customer()
    WhmcsClientRow.objects.create(client_id=1, customer=row)
    return row


def hand_over() -> None:
    """A worker visits what is due, now."""
    WhmcsInvoice.objects.exclude(next_attempt_at=None).update(next_attempt_at=clock.now(), leased_until=None)
    while WhmcsInvoiceController().run():
        pass


def invoices(simulator: Simulator) -> list[dict[str, Any]]:
    return list(simulator.records.invoices.values())


def test_due_period_becomes_an_invoice_in_whmcs_and_none_here(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer, setup_fee=Decimal("95.00"))
    assert bill_due_subscriptions() == 1
    hand_over()
    (there,) = invoices(whmcs)
    assert [(item["description"], item["amount"]) for item in there["items"]["item"]] == [
        ("Set-up of Map server · Small", "95.00"),
        ("Map server · Small", "49.00"),
    ]
    row = WhmcsInvoice.objects.get()
    assert (row.invoice_id, row.state, row.net) == (1, State.UNPAID, Decimal("144.00"))
    assert row.reference in there["notes"]
    assert not Invoice.objects.exists()


def test_period_is_handed_over_once_and_the_next_one_follows(
    whmcs: Simulator, customer: Customer, on: Callable[[date], None]
) -> None:
    make_subscription(customer)
    assert [bill_due_subscriptions() for _ in range(3)] == [1, 0, 0]
    on(date(2026, 3, 20))
    assert bill_due_subscriptions() == 2
    hand_over()
    assert len(invoices(whmcs)) == 3
    starts = list(WhmcsPeriod.objects.order_by("start").values_list("start", flat=True))
    assert starts == [DAY, date(2026, 2, 15), date(2026, 3, 15)]
    assert Subscription.objects.get().next_invoice_on == date(2026, 4, 15)


def test_orders_of_one_customer_are_on_one_invoice(whmcs: Simulator, customer: Customer) -> None:
    for _ in range(3):
        make_subscription(customer)
    bill_due_subscriptions()
    hand_over()
    (there,) = invoices(whmcs)
    assert len(there["items"]["item"]) == 3


def test_lost_reply_makes_one_invoice(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    whmcs.oddities.lost_replies = 2  # the look-up, then the creation
    for _ in range(5):
        hand_over()
    assert len(invoices(whmcs)) == 1
    assert WhmcsInvoice.objects.get().invoice_id == 1


def test_creation_whose_reply_was_lost_is_found_again(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    row = WhmcsInvoice.objects.get()
    whmcs.records.invoices[7] = {
        "invoiceid": 7,
        "userid": 1,
        "status": "Unpaid",
        "notes": f"Geocat Live {row.reference}",
        "items": {"item": []},
    }
    hand_over()
    row.refresh_from_db()
    assert (row.invoice_id, len(invoices(whmcs))) == (7, 1)


def test_only_sales_with_vat_are_taxed_there(whmcs: Simulator) -> None:
    for number, (country, vat_id) in enumerate((("NL", ""), ("DE", "DE136695976"), ("US", "")), start=2):
        whmcs.records.add_client()
        checked = clock.now() if vat_id else None
        row = make_customer(country, vat_id=vat_id, vat_id_checked_at=checked)
        WhmcsClientRow.objects.create(client_id=number, customer=row)
        make_subscription(row)
    bill_due_subscriptions()
    assert [row.lines[0][2] for row in WhmcsInvoice.objects.order_by("customer")] == [True, False, False]
    hand_over()
    sent = [call["itemtaxed1"] for call in whmcs.calls if call["action"] == "CreateInvoice"]
    assert sorted(sent) == ["false", "false", "true"]


def test_customer_that_whmcs_does_not_know_needs_attention_until_it_is_linked(whmcs: Simulator) -> None:
    subscription = make_subscription()
    bill_due_subscriptions()
    hand_over()
    row = WhmcsInvoice.objects.get()
    assert row.has_failed
    assert "no client of WHMCS" in row.last_error
    WhmcsClientRow.objects.create(client_id=1, customer=subscription.customer)
    retry_invoice(invoice=row)
    hand_over()
    row.refresh_from_db()
    assert (row.state, row.invoice_id) == (State.UNPAID, 1)
    with pytest.raises(InvoiceNotFailed):
        retry_invoice(invoice=row)


def test_whmcs_in_maintenance_is_tried_again_later(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    whmcs.oddities.maintenance_page = True
    hand_over_once()
    row = WhmcsInvoice.objects.get()
    assert (row.state, row.has_failed) == (State.WAITING, False)
    whmcs.oddities.maintenance_page = False
    hand_over()
    row.refresh_from_db()
    assert row.state == State.UNPAID


def hand_over_once() -> None:
    WhmcsInvoice.objects.update(next_attempt_at=clock.now())
    WhmcsInvoiceController().run()


def test_payment_comes_back_with_its_day(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    hand_over()
    assert read_payments() == 0  # still unpaid
    whmcs.records.invoices[1] |= {"status": "Paid", "datepaid": "2026-01-20 10:11:12"}
    assert [read_payments() for _ in range(2)] == [1, 0]
    row = WhmcsInvoice.objects.get()
    assert (row.state, row.paid_on) == (State.PAID, date(2026, 1, 20))


@pytest.mark.parametrize(
    ("status", "state"),
    [("Cancelled", State.CANCELLED), ("Refunded", State.REFUNDED), ("Collections", State.OTHER), ("Paid", State.PAID)],
)
def test_every_end_of_an_invoice_comes_back(whmcs: Simulator, customer: Customer, status: str, state: str) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    hand_over()
    whmcs.records.invoices[1] |= {"status": status, "datepaid": "0000-00-00 00:00:00"}
    read_payments()
    row = WhmcsInvoice.objects.get()
    assert (row.state, row.paid_on) == (state, None)


def test_invoice_that_was_deleted_there_is_cancelled_here(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    hand_over()
    whmcs.records.invoices.clear()
    assert read_payments() == 1
    assert WhmcsInvoice.objects.get().state == State.CANCELLED


def test_payments_that_cannot_be_read_are_read_the_next_time(
    whmcs: Simulator, customer: Customer, caplog: pytest.LogCaptureFixture
) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    hand_over()
    whmcs.records.invoices[1]["status"] = "Paid"
    whmcs.oddities.maintenance_page = True
    assert read_payments() == 0
    assert "were not read" in caplog.text
    whmcs.oddities.maintenance_page = False
    assert read_payments() == 1


def test_sandbox_orders_are_specimens_here_and_unknown_to_whmcs(whmcs: Simulator, customer: Customer) -> None:
    make_subscription(customer, sandbox=True)
    bill_due_subscriptions()
    hand_over()
    assert Invoice.objects.get().is_specimen
    assert invoices(whmcs) == []


def test_upgrade_is_charged_there_too(whmcs: Simulator, customer: Customer, on: Callable[[date], None]) -> None:
    subscription = make_subscription(customer)
    bill_due_subscriptions()
    PendingCharge.objects.create(
        subscription=subscription,
        description="Difference for 10 of 31 days",
        amount=Decimal("10.00"),
        start=date(2026, 2, 5),
        end=date(2026, 2, 15),
    )
    assert [bill_due_subscriptions() for _ in range(2)] == [1, 0]
    hand_over()
    assert sorted(row["items"]["item"][0]["amount"] for row in invoices(whmcs)) == ["10.00", "49.00"]
    assert PendingCharge.objects.get().whmcs_invoice == WhmcsInvoice.objects.order_by("pk").last()


def test_what_cannot_be_billed_says_why(whmcs: Simulator, customer: Customer) -> None:
    subscription = make_subscription(customer)
    customer.addresses.all().delete()
    assert bill_due_subscriptions() == 0
    subscription.refresh_from_db()
    assert "no address" in subscription.billing_problem
    assert BillingRun.objects.get().problems == [[subscription.order.reference, subscription.billing_problem]]


def test_first_period_of_a_new_order_is_handed_over_by_the_next_run(whmcs: Simulator, customer: Customer) -> None:
    start_subscriptions(orders=[make_draft(customer=customer)])
    assert not WhmcsInvoice.objects.exists()
    assert bill_due_subscriptions() == 1


def test_change_of_the_biller_bills_no_period_twice(
    whmcs: Simulator, customer: Customer, settings: Any, on: Callable[[date], None]
) -> None:
    make_subscription(customer)
    bill_due_subscriptions()
    settings.BILLING_BY = "live"
    on(date(2026, 2, 15))
    assert bill_due_subscriptions() == 1
    assert (WhmcsPeriod.objects.count(), Invoice.objects.get().period_start) == (1, date(2026, 2, 15))


def test_admin_lists_and_retries_what_failed(whmcs: Simulator) -> None:
    make_subscription()
    bill_due_subscriptions()
    hand_over()
    row = WhmcsInvoice.objects.get()
    address = reverse("admin:billing_whmcsinvoice_changelist")
    assert "no client of WHMCS" in bookkeeper().get(address).content.decode()
    data = {"action": "try_again", "_selected_action": str(row.pk), "confirmed": "yes"}
    reader().post(address, data)
    row.refresh_from_db()
    assert row.has_failed
    bookkeeper().post(address, data)
    row.refresh_from_db()
    assert not row.has_failed
    assert row.next_attempt_at is not None
    assert row.next_attempt_at <= clock.now() + timedelta(seconds=1)
