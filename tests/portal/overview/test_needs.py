"""What a member has to do or to know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core import clock
from customers.choices import Role
from customers.models import Customer, MailAddress, Membership, User
from live.portal.overview.needs import OF_EACH_KIND, Need, needs_of
from monitoring.incidents.services import open_incident
from monitoring.maintenance.services import plan_maintenance
from orders.models import Order
from orders.removals.services import schedule_removal
from orders.services import place_order
from tests.factories import UserFactory, make_draft
from tests.portal.conftest import SignIn
from tests.portal.test_invoices import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    return place_order(order=make_draft(customer=customer, name="Polder", plan_fields={"auto_approve": True}))


def titles(needs: list[Need]) -> list[str]:
    return [need.title for need in needs]


def everything(order: Order) -> None:
    """The order has one of each thing that a member has to know."""
    now = clock.now()
    open_incident(orders=[order], title="Tiles are slow", impact="degraded", message="We are looking.")
    invoice = make_invoice(order, "2026-00001")
    assert invoice.due_on
    make_draft(customer=order.customer, name="Harbour")
    schedule_removal(order=order, on=clock.today() + timedelta(days=30))
    window = {"starts_at": now + timedelta(days=1), "ends_at": now + timedelta(days=1, hours=1)}
    plan_maintenance(title="New disks", orders=[order], **window)


def test_there_is_one_line_for_each_thing_with_the_most_pressing_first(order: Order, owner: User) -> None:
    everything(order)
    kinds = [title.split(" ")[0] for title in titles(needs_of(owner))]
    assert kinds == ["Tiles", "Invoice", "“Harbour”", "“Polder”", "Maintenance:"]


def test_a_quiet_day_has_no_lines(order: Order, owner: User) -> None:
    assert needs_of(owner) == []


def test_nothing_of_another_customer_is_shown(order: Order, stranger: User) -> None:
    everything(order)
    assert needs_of(stranger) == []


def test_staff_have_the_admin_for_that(order: Order) -> None:
    everything(order)
    assert needs_of(UserFactory(is_staff=True, is_superuser=True)) == []


def test_who_may_not_order_or_see_invoices_is_not_asked_to(order: Order, customer: Customer) -> None:
    everything(order)
    technical = UserFactory()
    Membership.objects.create(user=technical, customer=customer, role=Role.TECHNICAL)
    shown = titles(needs_of(technical))
    assert not any("Invoice" in title or "draft" in title for title in shown)
    assert "Tiles are slow" in shown


def test_maintenance_far_ahead_can_wait(order: Order, owner: User) -> None:
    far = clock.now() + timedelta(days=20)
    plan_maintenance(title="New disks", orders=[order], starts_at=far, ends_at=far + timedelta(hours=1))
    assert needs_of(owner) == []


def test_many_of_a_kind_are_cut_short_and_cost_no_more_queries(order: Order, owner: User) -> None:
    everything(order)
    with CaptureQueriesContext(connection) as few:
        needs_of(owner)
    for number in range(OF_EACH_KIND + 3):
        make_draft(customer=order.customer, name=f"draft {number}")
        make_invoice(order, f"2026-1000{number}")
    with CaptureQueriesContext(connection) as many:
        shown = titles(needs_of(owner))
    assert len(many) == len(few) <= 11
    assert sum("draft" in title for title in shown) == OF_EACH_KIND


def test_the_overview_shows_them_on_its_first_page_only(order: Order, owner: User, sign_in: SignIn) -> None:
    everything(order)
    client = sign_in(owner)
    assert "What needs you" in client.get("/").content.decode()
    assert "What needs you" not in client.get("/?q=Polder").content.decode()


def test_customer_without_an_address_is_asked_for_it_before_an_order_is_refused(
    customer: Customer, owner: User
) -> None:
    assert needs_of(owner) == []
    customer.addresses.all().delete()
    assert titles(needs_of(owner)) == ["The address of Waterschap Vallei is missing"]
    for role in (Role.TECHNICAL, Role.BILLING, Role.READ_ONLY):
        Membership.objects.update(role=role)
        assert needs_of(owner) == []


@pytest.mark.parametrize("whose", ["customer", "contact", "member"])
def test_address_that_gets_no_mail_is_shown_to_owners(customer: Customer, owner: User, whose: str) -> None:
    contact = customer.contacts.create(name="Bo", email="bo@vallei.example")
    address = {"customer": customer.email, "contact": contact.email, "member": owner.email}[whose].lower()
    row = MailAddress.objects.create(address=address, last_bounced_at=clock.now())
    MailAddress.objects.create(address="somebody@elsewhere.example", stopped_at=clock.now())
    assert needs_of(owner) == []
    row.stopped_at = clock.now()
    row.save()
    (need,) = needs_of(owner)
    assert need.title == "E-mail to Waterschap Vallei does not arrive"
    assert need.url == f"/customers/{customer.number}/team/"
    Membership.objects.update(role=Role.TECHNICAL)
    assert needs_of(owner) == []
