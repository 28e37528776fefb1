"""From an active order to an issued invoice: once per period, numbered without gaps, never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from billing.documents.tasks import InvoicePdfController
from billing.invoicing.services import AlreadyPaid, bill_due_subscriptions, mark_paid
from billing.models import Invoice, InvoiceLine, InvoicePdf, NumberSeries, Subscription
from billing.subscriptions.reconcile import reconcile_all, reconcile_orders
from core.engine import controller
from customers.models import Message
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.services import place_order, remove_order, report
from tests.factories import make_draft
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db

DAY = date(2026, 1, 31)


@pytest.fixture(autouse=True)
def _on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the last of January, and nobody listens to the queue."""
    monkeypatch.setattr("core.clock.today", lambda: DAY)
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)


def active_order(**fields: Any) -> Order:
    """An order whose endpoints answer."""
    plan = {"auto_approve": True, **fields.pop("plan_fields", {})}
    order = place_order(order=make_draft(plan_fields=plan, **fields))
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=1)
    Order.objects.filter(pk=order.pk).update(activated_at=datetime(2026, 1, 31, 12, tzinfo=UTC))
    order.refresh_from_db()
    return order


def test_active_order_gets_a_subscription_and_its_first_invoice() -> None:
    order = active_order(plan_fields={"setup_fee": Decimal("95.00")})
    reconcile_orders([order.pk])
    invoice = Invoice.objects.get()
    assert (invoice.number, invoice.issued_on, invoice.due_on) == ("2026-00001", DAY, date(2026, 2, 14))
    assert (invoice.period_start, invoice.period_end) == (DAY, date(2026, 2, 28))
    assert (invoice.net, invoice.tax, invoice.gross) == (Decimal("144.00"), Decimal("30.24"), Decimal("174.24"))
    assert [line.net for line in invoice.lines.all()] == [Decimal("95.00"), Decimal("49.00")]
    part = order.parts.get(part=Part.SUBSCRIPTION)
    assert (part.state, part.message) == (PartState.READY, "Subscription started; invoice 2026-00001 issued.")


def test_order_removed_within_seconds_of_becoming_active_is_billed_for_its_first_period() -> None:
    order = active_order(plan_fields={"setup_fee": Decimal("95.00")})
    remove_order(order=order)
    reconcile_all()
    invoice, subscription = Invoice.objects.get(), Subscription.objects.get()
    assert invoice.gross == Decimal("174.24")
    assert (subscription.state, subscription.next_invoice_on) == (Subscription.State.ENDED, None)
    assert [event.message for event in order.events.filter(part=Part.SUBSCRIPTION).order_by("pk")] == [
        "Subscription started; invoice 2026-00001 issued.",
        "Subscription ended.",
    ]
    reconcile_all()
    assert Invoice.objects.count() == 1


def test_sweep_bills_an_order_that_is_already_removed() -> None:
    order = active_order()
    Order.objects.filter(pk=order.pk).update(wanted="removed", wanted_version=2, state=State.REMOVED)
    reconcile_all()
    assert Invoice.objects.get().period_start == DAY
    assert Subscription.objects.get().state == Subscription.State.ENDED


def test_subscription_that_starts_late_is_counted_from_the_day_the_order_became_active(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    order = active_order()
    monkeypatch.setattr("core.clock.today", lambda: date(2026, 2, 3))
    reconcile_all()
    invoice = Invoice.objects.get(order=order)
    assert (invoice.issued_on, invoice.period_start, invoice.period_end) == (date(2026, 2, 3), DAY, date(2026, 2, 28))


def test_order_that_never_became_active_is_not_billed() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    remove_order(order=order)
    reconcile_all()
    assert not Subscription.objects.exists()


def test_looking_twice_bills_once() -> None:
    order = active_order()
    reconcile_orders([order.pk])
    reconcile_orders([order.pk])
    reconcile_all()
    assert Invoice.objects.count() == Subscription.objects.count() == 1


def test_order_that_is_not_active_yet_is_not_billed() -> None:
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    reconcile_orders([order.pk])
    reconcile_all()
    assert not Subscription.objects.exists()


def test_lost_signal_is_caught_by_the_sweep() -> None:
    active_order()
    reconcile_all()
    assert Invoice.objects.count() == 1


def test_every_period_is_billed_once_and_counted_from_the_first_day() -> None:
    reconcile_orders([active_order().pk])
    assert bill_due_subscriptions(today=date(2026, 2, 27)) == 0
    assert bill_due_subscriptions(today=date(2026, 4, 2)) == 2
    assert bill_due_subscriptions(today=date(2026, 4, 2)) == 0
    starts = list(Invoice.objects.order_by("pk").values_list("period_start", flat=True))
    assert starts == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]


def test_sandbox_orders_have_specimens_in_a_series_of_their_own() -> None:
    reconcile_orders([active_order(sandbox=True).pk])
    reconcile_orders([active_order().pk])
    assert list(Invoice.objects.order_by("pk").values_list("number", "is_specimen")) == [
        ("SPECIMEN-2026-00001", True),
        ("2026-00001", False),
    ]
    assert [invoice.number for invoice in Invoice.objects.owed()] == ["2026-00001"]


def test_numbers_have_no_gap_when_a_transaction_goes() -> None:
    assert NumberSeries.draw("", 2026, 2) == ["2026-00001", "2026-00002"]
    with transaction.atomic():
        assert NumberSeries.draw("", 2026, 3)[-1] == "2026-00005"
        transaction.set_rollback(True)
    assert NumberSeries.draw("", 2026, 1) == ["2026-00003"]
    assert NumberSeries.draw("", 2027, 1) == ["2027-00001"]


def test_database_refuses_to_change_or_delete_what_was_issued() -> None:
    reconcile_orders([active_order().pk])
    for sql in (
        "UPDATE billing_invoice SET gross = 1",
        "UPDATE billing_invoiceline SET net = 1",
        "DELETE FROM billing_invoiceline",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert InvoiceLine.objects.get().net == Decimal("49.00")


def test_payment_is_recorded_once() -> None:
    reconcile_orders([active_order().pk])
    invoice = mark_paid(invoice=Invoice.objects.get(), paid_on=date(2026, 2, 3))
    assert (invoice.state, invoice.paid_on) == (Invoice.State.PAID, date(2026, 2, 3))
    with pytest.raises(AlreadyPaid):
        mark_paid(invoice=invoice)


def test_removed_order_is_not_billed_again() -> None:
    order = active_order()
    reconcile_orders([order.pk])
    remove_order(order=order)
    reconcile_orders([order.pk])
    subscription = Subscription.objects.get()
    assert (subscription.state, subscription.ended_on) == (Subscription.State.ENDED, DAY)
    assert bill_due_subscriptions(today=date(2027, 1, 1)) == 0
    assert order.parts.get(part=Part.SUBSCRIPTION).state == PartState.REMOVED


def test_billing_run_costs_the_same_queries_for_many(
    django_assert_max_num_queries: Any,
) -> None:
    for _ in range(12):
        reconcile_orders([active_order().pk])
    with django_assert_max_num_queries(32):  # of which eleven begin or end a transaction
        assert bill_due_subscriptions(today=date(2026, 2, 28)) == 12


def test_pdf_is_rendered_once_and_mailed_once() -> None:
    reconcile_orders([active_order(sandbox=True).pk])
    controller = InvoicePdfController()
    InvoicePdf.objects.update(next_attempt_at=timezone.now())
    assert [controller.run(), controller.run()] == [1, 0]
    pdf = InvoicePdf.objects.get()
    assert pdf.path == "invoices/2026/SPECIMEN-2026-00001.pdf"
    render_waiting()
    message = Message.objects.get(key__startswith="invoice:")
    assert message.subject == f"[Sandbox] Invoice SPECIMEN-2026-00001 for “{Order.objects.get().name}”"
    assert message.attachments == [{"name": "SPECIMEN-2026-00001.pdf", "path": pdf.path, "type": "application/pdf"}]
    assert Order.objects.get().state == State.ACTIVE


def test_invoice_that_breaks_the_rules_needs_attention_and_nothing_is_stored_or_mailed() -> None:
    reconcile_orders([active_order().pk])
    InvoicePdf.objects.update(next_attempt_at=timezone.now())
    InvoicePdfController().run()
    pdf = InvoicePdf.objects.get()
    assert pdf.has_failed
    assert "SELLER_VAT_ID" in pdf.last_error
    assert (pdf.path, pdf.other_files) == ("", {})
    assert not Message.objects.filter(key__startswith="invoice:").exists()
