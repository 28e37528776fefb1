"""The first page says what needs a person, in a fixed number of queries, to whoever may see it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Invoice
from billing.payments.services import register_payment
from billing.subscriptions.reconcile import reconcile_orders
from core import clock
from core.models import Heartbeat
from customers.models import Message, User
from infrastructure.models import Provider
from monitoring.models import BackendStatus
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, remove_order, report
from products.models import Product
from tests.factories import CustomerFactory, ProductFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

PAGE = "/admin/"


def staff(*permissions: str) -> User:
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


@pytest.fixture
def boss(client: Client) -> Client:
    """Someone who may everything."""
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    return client


def worked(ago: timedelta, *, error: str = "") -> None:
    Heartbeat.objects.create(name="sweep", finished_at=clock.now() - ago, error=error)


def placed(**fields: Any) -> Order:
    return place_order(order=make_draft(plan_fields={"auto_approve": True}, **fields))


def active(**fields: Any) -> Order:
    order = placed(**fields)
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        report(order.pk, part, PartState.READY, version=1)
    order.refresh_from_db()
    return order


def one_of_each() -> None:
    """A pending, a failed, a moving and a degraded order, an unpaid invoice and a failed mail."""
    place_order(order=make_draft())
    report(placed().pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=1)
    report(placed().pk, Part.SERVER, PartState.WORKING, "is being built", version=1)
    down = active()
    reconcile_orders([down.pk])
    report(down.pk, Part.MONITORING, PartState.DOWN, "WMS does not answer", version=1)
    Message.objects.filter(key__contains=down.reference).update(failed_version=1, last_error="550 unknown")


def test_dashboard_lists_what_needs_attention_and_why(boss: Client) -> None:
    one_of_each()
    page = boss.get(PAGE).context
    assert [line.reason for line in page["attention"].lines] == [
        "Server: quota exceeded",
        "Placed; waiting for approval.",
    ]
    assert [line.step for line in page["attention"].lines] == ["Try again", "Approve"]
    assert [line.reason for line in page["down"].lines] == ["WMS does not answer"]
    assert [line.reason for line in page["moving"].lines] == ["Waiting for the server: is being built"]
    assert [dot.look for dot in page["moving"].lines[0].dots] == ["working", *["waiting"] * 4]
    assert {line.reason for line in page["broken"]} == {"550 unknown"}
    assert page["attention_count"] == 2 + len(page["broken"])


def test_removal_counts_what_is_gone(boss: Client) -> None:
    order = remove_order(order=active())
    report(order.pk, Part.COMPOSITION, PartState.REMOVED, version=2)
    (line,) = boss.get(PAGE).context["moving"].lines
    assert {dot.label: dot.look for dot in line.dots}["Composition"] == "done"
    assert {dot.label: dot.look for dot in line.dots}["Server"] == "working"


def test_outstanding_invoices_are_added_up_by_currency_without_specimens(boss: Client) -> None:
    for fields in ({}, {}, {"sandbox": True}):
        reconcile_orders([active(**fields).pk])
    outstanding = boss.get(PAGE).context["outstanding"]
    total = sum(invoice.gross for invoice in Invoice.objects.owed())
    assert (outstanding.amounts, outstanding.invoices, outstanding.overdue) == ([f"€{total}"], 2, 0)


def test_dashboard_takes_the_same_queries_for_few_and_for_many(boss: Client) -> None:
    one_of_each()
    boss.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        boss.get(PAGE)
    for _ in range(12):
        one_of_each()
        ProductFactory(import_error="plans: too few")
    with CaptureQueriesContext(connection) as many:
        boss.get(PAGE)
    assert len(many) == len(few) <= 33


def test_long_lists_are_cut_and_counted(boss: Client) -> None:
    for _ in range(11):
        place_order(order=make_draft())
    card = boss.get(PAGE).context["attention"]
    assert (len(card.lines), card.count, card.more) == (8, 11, 3)


def test_empty_house_says_that_nothing_waits(boss: Client) -> None:
    worked(timedelta(seconds=20))
    content = boss.get(PAGE).content.decode()
    assert "All clear: nothing needs attention." in content
    assert "No orders are being set up or removed." in content
    assert "gl-alarm" not in content


@pytest.mark.parametrize(
    ("ago", "warning"),
    [
        (None, "No worker has finished a sweep yet"),
        (timedelta(minutes=2), ""),
        (timedelta(minutes=4), "No worker has finished a sweep since 4"),
    ],
)
def test_workers_that_do_not_work_are_a_warning(boss: Client, ago: timedelta | None, warning: str) -> None:
    if ago:
        worked(ago)
    texts = boss.get(PAGE).context["health"].warning
    assert texts.replace("\xa0", " ").startswith(warning)
    assert bool(texts) == bool(warning)


def test_failed_sweep_is_a_warning(boss: Client) -> None:
    worked(timedelta(seconds=5), error="billing: KeyError('a bug')")
    assert "The last sweep had errors: billing" in boss.get(PAGE).context["health"].warning


def test_only_sandboxes_are_said_loudly(boss: Client) -> None:
    Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    assert boss.get(PAGE).context["is_sandbox_only"]
    Provider.objects.create(slug="here", name="Here", kind=Provider.Kind.LOCAL)
    assert not boss.get(PAGE).context["is_sandbox_only"]


def test_staff_see_only_what_they_may(client: Client) -> None:
    one_of_each()
    Product.objects.update(import_error="plans: too few")
    client.force_login(staff())
    found = client.get(PAGE).context
    assert [name for name in ("attention", "moving", "down", "events", "outstanding", "figures") if name in found] == []
    assert found["broken"] == []


def test_steps_are_offered_to_whom_may_take_them(client: Client) -> None:
    one_of_each()
    client.force_login(staff("view_order", "approve_order"))
    assert [line.step for line in client.get(PAGE).context["attention"].lines] == ["", "Approve"]


def test_customers_people_are_sent_away(client: Client) -> None:
    CustomerFactory()
    client.force_login(UserFactory())
    answer = client.get(PAGE)
    assert answer.status_code == 302


def test_whoever_watches_is_told_of_once_it_is_silent_for_some_minutes(boss: Client) -> None:
    row = BackendStatus.objects.create(backend="zabbix", last_error="cannot be reached", failing_since=clock.now())
    assert boss.get(PAGE).context["broken"] == []
    BackendStatus.objects.update(failing_since=clock.now() - timedelta(minutes=4))
    (line,) = boss.get(PAGE).context["broken"]
    assert (line.title, line.reason) == ("Zabbix", "cannot be reached")
    assert f"/backendstatus/{row.pk}/" in line.url


def test_partly_paid_invoice_is_outstanding_by_its_rest(boss: Client) -> None:
    order = active()
    reconcile_orders([order.pk])
    register_payment(customer=order.customer, amount=Decimal("50.00"), currency="EUR")
    assert "€9.29" in boss.get(PAGE).content.decode()
