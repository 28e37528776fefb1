"""What may be asked of the room of customers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from core import clock
from customers.choices import MailKind
from customers.models import Contact, Customer, Membership, Message, User
from customers.notifications.recipients import recipients_of
from customers.services import (
    NothingToChange,
    admit_user,
    close_customer,
    issue_token,
    register_customer,
    reopen_customer,
    resend_message,
    write_message,
)
from orders.models import OrderSecrets
from orders.services import CustomerClosed
from tests.factories import CustomerFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

TEMPLATE = "orders/mail/active"


def write(customer: Customer, key: str = "test:1") -> Message:
    """News of an order."""
    order = make_draft(customer=customer, name=key)
    context = {"order": order, "endpoints": [], "site_url": "http://testserver", "url": "http://testserver/"}
    message = write_message(key=key, customer=customer, kind=MailKind.ACTIVE, template=TEMPLATE, context=context)
    assert message is not None
    return message


def test_customers_get_numbers_of_their_own() -> None:
    customers = [register_customer(name="Delft", email="gis@delft.example", language="nl") for _ in range(3)]
    assert len({customer.number for customer in customers}) == 3
    assert {customer.state for customer in customers} == {Customer.State.ACTIVE}


def test_taken_number_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    CustomerFactory.create(number="C11111")
    drawn = iter(["C11111", "C22222"])
    monkeypatch.setattr("customers.services.new_reference", lambda prefix, length: next(drawn))
    assert register_customer(name="Delft", email="gis@delft.example").number == "C22222"


def test_person_is_admitted_once_whatever_the_capitals() -> None:
    first, second = CustomerFactory.create(), CustomerFactory.create()
    user = admit_user(customer=first, email="Ann@Example.org", name="Ann de Vries")
    assert admit_user(customer=first, email="ann@example.org") == user
    assert admit_user(customer=second, email="ANN@example.org", role=Membership.Role.READ_ONLY) == user
    assert (user.email, user.first_name, user.last_name) == ("ann@example.org", "Ann", "de Vries")
    assert not user.has_usable_password()
    assert list(user.memberships.order_by("pk").values_list("role", flat=True)) == ["owner", "read_only"]


def test_people_see_their_own_customers_only() -> None:
    own, _other = CustomerFactory.create(), CustomerFactory.create()
    user = admit_user(customer=own, email="ann@example.org")
    assert list(Customer.objects.visible_to(user)) == [own]
    assert not Customer.objects.visible_to(UserFactory.create(is_staff=True)).exists()


def test_database_keeps_one_account_per_address() -> None:
    UserFactory.create(email="ann@example.org")
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="other", email="ANN@example.org")


def test_news_goes_to_the_contacts_named_for_it() -> None:
    customer = CustomerFactory.create(email="info@delft.example")
    assert recipients_of(customer, MailKind.ACTIVE) == ["info@delft.example"]
    Contact.objects.create(
        customer=customer, name="Bo", email="bo@delft.example", about_invoices=True, about_orders=False
    )
    assert recipients_of(customer, MailKind.ACTIVE) == ["info@delft.example"]
    assert recipients_of(customer, MailKind.INVOICE) == ["bo@delft.example"]


def test_same_news_is_written_once() -> None:
    customer = CustomerFactory.create()
    message = write(customer)
    again = write_message(key="test:1", customer=customer, kind=MailKind.ACTIVE, template=TEMPLATE, context={})
    assert again == message
    assert Message.objects.filter(key="test:1").count() == 1
    assert message.next_attempt_at is not None
    assert message.to == [customer.email]


def test_news_that_is_rolled_back_is_not_sent() -> None:
    customer = CustomerFactory.create()
    with transaction.atomic():
        write(customer)
        transaction.set_rollback(True)
    assert not Message.objects.exists()


def test_closed_customer_orders_nothing_until_reopened() -> None:
    customer = CustomerFactory.create()
    assert close_customer(customer=customer).state == Customer.State.CLOSED
    with pytest.raises(NothingToChange):
        close_customer(customer=customer)
    with pytest.raises(CustomerClosed):
        make_draft(customer=Customer.objects.get(pk=customer.pk))
    reopen_customer(customer=customer)
    assert make_draft(customer=Customer.objects.get(pk=customer.pk)).customer == customer


def test_a_message_that_waits_is_not_sent_again() -> None:
    message = write(CustomerFactory.create())
    with pytest.raises(NothingToChange):
        resend_message(message=message)
    Message.objects.filter(pk=message.pk).update(failed_version=1, next_attempt_at=None, last_error="refused")
    resend_message(message=message)
    message.refresh_from_db()
    assert (message.has_failed, message.last_error, message.wanted_version) == (False, "", 2)


def test_token_is_kept_as_a_hash_and_expires() -> None:
    tomorrow = clock.now() + timedelta(days=1)
    row, key = issue_token(user=UserFactory.create(), name="Reader", expires_at=tomorrow)
    assert row.expiry is not None
    assert abs(row.expiry - tomorrow) < timedelta(seconds=5)
    assert key.startswith(row.token_key)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM customers_apitoken")
        assert key not in str(cursor.fetchall())


def test_secrets_are_unreadable_in_the_database_and_absent_from_repr() -> None:
    order = make_draft()
    (secret,) = order.secrets.values.values()
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM orders_ordersecrets")
        stored = str(cursor.fetchall())
    assert secret not in stored
    assert "admin_password" not in stored
    assert secret not in repr(order.secrets) + str(order.secrets)
    assert OrderSecrets.objects.get().values == {"admin_password": secret}
