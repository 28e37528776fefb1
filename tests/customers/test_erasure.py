"""A customer is anonymised on request: what identifies people goes, what the law says to keep stays."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.test import Client

from billing.models import Invoice
from core import clock
from customers.choices import MailKind, Role
from customers.erasure.services import ErasureRefused, anonymise_customer, obstacles_to_erasure
from customers.invitations.services import invite_member
from customers.models import ApiToken, Customer, Membership, Message, User, Webhook
from customers.services import NothingToChange, close_customer, reopen_customer, write_message
from orders.models import Order, OrderSecrets
from orders.services import remove_order
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft
from tests.portal.test_invoices import make_invoice

pytestmark = pytest.mark.django_db
TRACES = ("geertruida", "vandenbosch", "bosch.example", "0612345678", "dijkweg")


@pytest.fixture
def actor() -> User:
    user: User = UserFactory(username="ada", is_staff=True, is_superuser=True)
    return user


@pytest.fixture
def customer(actor: User) -> Customer:
    """A person with traces in every table, whose order has been removed and invoice paid."""
    customer = CustomerFactory(
        name="Geertruida Vandenbosch",
        kind="person",
        email="gis@bosch.example",
        phone="0612345678",
        notes="Geertruida calls on Mondays.",
        address__street="Dijkweg 1",
    )
    customer.contacts.create(name="Geertruida", email="geertruida@bosch.example")
    user = UserFactory(username="geertruida", email="geertruida@bosch.example", last_name="Vandenbosch")
    MembershipFactory(customer=customer, user=user)
    Authenticator.objects.create(user=user, type="totp", data={})
    EmailAddress.objects.create(user=user, email=user.email)
    ApiToken.objects.create(user=user, name="script")
    ApiToken.objects.create(user=actor, name="of Geertruida", customer=customer)
    Webhook.objects.create(customer=customer, url="https://hooks.bosch.example/", events=[], created_by=actor)
    invite_member(customer=customer, email="ann@bosch.example", role=Role.BILLING, actor=actor)
    order = make_draft(customer=customer, name="Geertruida's maps", inputs={"title": "Vandenbosch"})
    make_invoice(
        order,
        "2026-00001",
        state="paid",
        settled=Decimal("50.82"),
        paid_on=clock.today(),
        buyer={"name": customer.name},
    )
    remove_order(order=order, actor=actor)
    LogEntry.objects.create(
        user=actor,
        content_type_id=LogEntry.objects.latest("pk").content_type_id,
        object_id=str(customer.pk),
        object_repr=customer.name,
        action_flag=2,
        change_message="Changed Geertruida Vandenbosch, geertruida@bosch.example.",
    )
    return customer


def dump(*, without: tuple[str, ...]) -> str:
    """Every value of every table of ours, as one text."""
    rooms = ("customers", "orders", "billing", "infrastructure", "monitoring", "admin", "account", "mfa")
    models = [model for model in apps.get_models() if model._meta.app_label in rooms]
    rows = [list(model._default_manager.values()) for model in models if model._meta.label not in without]
    return json.dumps(rows, default=str).lower()


def test_no_trace_is_left_outside_issued_invoices(customer: Customer, actor: User) -> None:
    kept = ("billing.Invoice",)
    assert all(trace in dump(without=kept) for trace in TRACES)
    anonymise_customer(customer=customer, actor=actor, why="Request of gis@bosch.example")
    left = dump(without=kept)
    assert [trace for trace in TRACES if trace in left] == []


def test_what_the_law_wants_stays(customer: Customer, actor: User) -> None:
    anonymise_customer(customer=customer, actor=actor, why="Request")
    invoice = Invoice.objects.get()
    assert (invoice.buyer, invoice.gross) == ({"name": "Geertruida Vandenbosch"}, Decimal("50.82"))
    order = Order.objects.get()
    assert (order.name, order.inputs, order.events.exists()) == (order.reference, {}, True)
    assert not OrderSecrets.objects.exists()
    customer.refresh_from_db()
    assert (customer.name, customer.state) == (f"Anonymised customer {customer.number}", "closed")
    assert Message.objects.get().key.startswith("invitation:")
    assert LogEntry.objects.order_by("-pk")[0].change_message == "Anonymised. Request"


def test_nobody_signs_in_with_the_account_any_more(customer: Customer, actor: User) -> None:
    user = User.objects.get(username="geertruida")
    client = Client()
    client.force_login(user)
    assert client.get("/").status_code == 200
    anonymise_customer(customer=customer, actor=actor, why="Request")
    assert client.get("/").status_code == 302
    user.refresh_from_db()
    assert (user.username, user.email, user.is_active) == (f"anonymised-{user.pk}", "", False)
    assert not ApiToken.objects.exists()
    assert not Membership.objects.exists()


def test_accounts_of_others_stay(customer: Customer, actor: User) -> None:
    elsewhere: User = UserFactory(username="piet")
    MembershipFactory(customer=customer, user=elsewhere)
    other: Customer = MembershipFactory(user=elsewhere).customer
    MembershipFactory(customer=customer, user=actor)
    anonymise_customer(customer=customer, actor=actor, why="Request")
    elsewhere.refresh_from_db()
    actor.refresh_from_db()
    assert (elsewhere.username, elsewhere.is_active, actor.is_active) == ("piet", True, True)
    assert list(Customer.objects.visible_to(elsewhere)) == [other]


def test_mail_that_waits_is_not_sent_any_more(customer: Customer, actor: User) -> None:
    write_message(key="news", customer=customer, kind=MailKind.PLACED, template="customers/mail/invitation", context={})
    anonymise_customer(customer=customer, actor=actor, why="Request")
    message = Message.objects.get(key="news")
    assert (message.to, message.next_attempt_at, message.template) == ([], None, "")


def test_orders_and_money_come_first(customer: Customer, actor: User) -> None:
    order = make_draft(customer=customer)
    make_invoice(order, "2026-00002")
    (first, second) = obstacles_to_erasure(customer)
    assert order.reference in first
    assert "2026-00002" in second
    with pytest.raises(ErasureRefused, match="2026-00002"):
        anonymise_customer(customer=customer, actor=actor, why="Request")
    customer.refresh_from_db()
    assert customer.name == "Geertruida Vandenbosch"


def test_once_is_enough_and_the_customer_stays_closed(customer: Customer, actor: User) -> None:
    anonymise_customer(customer=customer, actor=actor, why="Request")
    with pytest.raises(ErasureRefused, match="already"):
        anonymise_customer(customer=customer, actor=actor, why="Request")
    customer.refresh_from_db()
    with pytest.raises(NothingToChange, match="stays closed"):
        reopen_customer(customer=customer)
    with pytest.raises(NothingToChange):
        close_customer(customer=customer)


def test_staff_confirm_by_the_number(customer: Customer, actor: User) -> None:
    client = Client()
    client.force_login(actor)
    url = f"/admin/customers/customer/{customer.pk}/anonymise/"
    assert b"This cannot be undone" in client.get(url).content
    wrong = client.post(url, {"number": "C00000X", "why": "Request"})
    assert b"This is not the number of this customer" in wrong.content
    done = client.post(url, {"number": customer.number.lower(), "why": "Request"}, follow=True)
    assert b"The customer has been anonymised." in done.content
    for action in ("edit/", "anonymise/", "invite/"):
        assert f"{customer.pk}/{action}".encode() not in done.content
    again = client.post(url, {"number": customer.number, "why": "Request"}, follow=True)
    assert b"anonymised already" in again.content


def test_only_whoever_may_anonymise_does(customer: Customer) -> None:
    clerk = UserFactory(is_staff=True)
    client = Client()
    client.force_login(clerk)
    url = f"/admin/customers/customer/{customer.pk}/anonymise/"
    assert client.post(url, {"number": customer.number, "why": "Request"}).status_code == 403
    assert Customer.objects.filter(anonymised_at__lte=clock.now()).count() == 0
