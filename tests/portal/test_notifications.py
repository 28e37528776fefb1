"""The notification centre, and the switches of mail."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.choices import MailKind, Role
from customers.models import Customer, Membership, Message, User
from customers.notifications.services import kinds_on
from customers.services import write_message
from orders.models import Order
from tests.factories import UserFactory, make_draft
from tests.mails import render_waiting
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(customer: Customer) -> Order:
    return make_draft(customer=customer, name="Dikes")


def notify(order: Order, key: str, kind: MailKind = MailKind.ACTIVE) -> Message:
    message = write_message(
        key=key, customer=order.customer, kind=kind, template="orders/mail/active", context={"order": order}
    )
    assert message is not None
    return message


def test_what_was_mailed_can_be_read_here(order: Order, owner: User, sign_in: SignIn) -> None:
    row = notify(order, "k")
    render_waiting()
    client = sign_in(owner)
    page = client.get("/notifications/").content.decode()
    assert "“Dikes” is ready" in page
    assert ">New<" in page
    assert "Being sent" in page
    letter = client.get(f"/notifications/{row.pk}/").content.decode()
    assert "is running, and all checks have passed" in letter
    assert order.customer.email in letter
    assert ">New<" not in client.get("/notifications/").content.decode()


def test_a_refused_mail_says_so(order: Order, owner: User, sign_in: SignIn) -> None:
    row = notify(order, "k")
    Message.objects.filter(pk=row.pk).update(failed_version=1, next_attempt_at=None)
    client = sign_in(owner)
    assert "Not delivered" in client.get("/notifications/").content.decode()
    assert "The mail server refused it" in client.get(f"/notifications/{row.pk}/").content.decode()


def test_what_it_was_about_may_be_gone(order: Order, owner: User, sign_in: SignIn) -> None:
    row = notify(order, "k")
    Message.objects.filter(pk=row.pk).update(context={"order": {"row": "orders.order", "pk": 0}})
    assert "no longer exists" in sign_in(owner).get(f"/notifications/{row.pk}/").content.decode()


def test_nothing_of_another_customer_or_of_staff_is_there(order: Order, stranger: User, sign_in: SignIn) -> None:
    row = notify(order, "k")
    Message.objects.create(key="staff:1", to=["staff@example.org"], subject="Secret")
    client = sign_in(stranger)
    page = client.get("/notifications/").content.decode()
    assert "No notifications yet" in page
    assert client.get(f"/notifications/{row.pk}/").status_code == 404


def test_mail_about_money_is_hidden_from_roles_that_see_no_invoices(
    order: Order, customer: Customer, sign_in: SignIn
) -> None:
    technical = UserFactory()
    Membership.objects.create(user=technical, customer=customer, role=Role.TECHNICAL)
    money, progress = notify(order, "m", MailKind.INVOICE), notify(order, "p")
    client = sign_in(technical)
    assert client.get(f"/notifications/{money.pk}/").status_code == 404
    assert client.get(f"/notifications/{progress.pk}/").status_code == 200
    settings = client.get("/notifications/settings/").content.decode()
    assert "Planned maintenance" in settings
    assert "Payment reminders" not in settings


def test_each_kind_is_a_switch_of_ones_own(owner: User, onlooker: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    assert client.get("/notifications/settings/").content.decode().count('type="checkbox"') == len(MailKind)
    client.post("/notifications/settings/", {"incident": "on", "started": "on", "nonsense": "on"})
    assert kinds_on(owner) == {MailKind.INCIDENT, MailKind.STARTED}
    client.post("/notifications/settings/", {})
    assert kinds_on(owner) == set()
    assert kinds_on(onlooker) == set()


def test_many_notifications_take_no_more_queries(order: Order, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    notify(order, "0")
    client.get("/notifications/")
    with CaptureQueriesContext(connection) as few:
        client.get("/notifications/")
    for number in range(1, 30):
        notify(order, str(number))
    with CaptureQueriesContext(connection) as many:
        assert "Page 1 of 2" in client.get("/notifications/").content.decode()
    assert len(many) == len(few) <= 7
