"""Who gets which mail."""

from __future__ import annotations

import pytest

from customers.choices import MailKind, Role
from customers.models import Contact, Customer, MailChoice, Membership, Message, User
from customers.notifications.recipients import recipients_of
from customers.notifications.services import choose_kinds, kinds_for, kinds_on
from customers.services import write_message
from orders.choices import Part, PartState
from orders.services import approve_order, place_order, report, retry_order
from tests.factories import CustomerFactory, UserFactory, make_draft
from tests.mails import render_waiting

pytestmark = pytest.mark.django_db

ORDERS = tuple(kind for kind in MailKind if not kind.is_about_money and not kind.is_for_members_only)


@pytest.fixture
def customer() -> Customer:
    customer: Customer = CustomerFactory(email="gis@delft.example")
    return customer


def member(customer: Customer, role: Role = Role.OWNER, **fields: object) -> User:
    user: User = UserFactory(**fields)
    Membership.objects.create(user=user, customer=customer, role=role)
    return user


def switch(user: User, kind: MailKind, *, on: bool) -> None:
    MailChoice.objects.update_or_create(user=user, kind=kind, defaults={"is_on": on})


@pytest.mark.parametrize("kind", ORDERS)
def test_without_choices_contacts_get_it_and_who_runs_the_services(customer: Customer, kind: MailKind) -> None:
    members = {role: member(customer, role, email=f"{role}@delft.example") for role in Role}
    acting = [members[Role.OWNER].email, members[Role.TECHNICAL].email]
    assert recipients_of(customer, kind) == ["gis@delft.example", *acting]
    for user in members.values():
        assert (kind in kinds_on(user)) is (user.email in acting)


@pytest.mark.parametrize("kind", [MailKind.INVOICE, MailKind.REMINDER, MailKind.PRICE])
def test_without_choices_mail_about_money_goes_to_contacts_and_who_keeps_the_books(
    customer: Customer, kind: MailKind
) -> None:
    members = {role: member(customer, role, email=f"{role}@delft.example") for role in Role}
    acting = [members[Role.BILLING].email, members[Role.OWNER].email]
    assert recipients_of(customer, kind) == ["gis@delft.example", *acting]
    for user in members.values():
        assert (kind in kinds_on(user)) is (user.email in acting)


def test_draft_waits_only_for_members_who_can_place_it(customer: Customer) -> None:
    assert recipients_of(customer, MailKind.NEEDS_YOU) == []
    owner = member(customer)
    for role in set(Role) - {Role.OWNER}:
        member(customer, role)
    assert recipients_of(customer, MailKind.NEEDS_YOU) == [owner.email]
    switch(owner, MailKind.NEEDS_YOU, on=False)
    assert recipients_of(customer, MailKind.NEEDS_YOU) == []


def test_colleagues_draft_is_mailed_once_to_who_can_place_it(customer: Customer) -> None:
    owner, author = member(customer), member(customer, Role.TECHNICAL, first_name="Tess", last_name="Maps")
    order = make_draft(customer=customer, actor=author, name="Polder")
    render_waiting()
    (message,) = Message.objects.filter(kind=MailKind.NEEDS_YOU)
    assert (message.key, message.to) == (f"order:{order.reference}:draft", [owner.email])
    assert message.subject == "Waiting for you: Polder"
    assert "Tess Maps has prepared “Polder”" in message.text
    assert f"/orders/{order.reference}/" in message.text


@pytest.mark.parametrize("author", ["owner", "staff", "nobody"])
def test_draft_of_somebody_who_can_place_it_is_mailed_to_nobody(customer: Customer, author: str) -> None:
    people = {"owner": member(customer), "staff": UserFactory(is_staff=True, is_superuser=True), "nobody": None}
    make_draft(customer=customer, actor=people[author])
    assert not Message.objects.filter(kind=MailKind.NEEDS_YOU).exists()


@pytest.mark.parametrize("kind", [MailKind.APPROVED, MailKind.STARTED])
def test_progress_is_mailed_only_to_who_wants_it(customer: Customer, kind: MailKind) -> None:
    user = member(customer)
    assert recipients_of(customer, kind) == []
    switch(user, kind, on=True)
    assert recipients_of(customer, kind) == [user.email]


def test_a_member_adds_and_removes_only_him_or_herself(customer: Customer) -> None:
    contact = member(customer, Role.READ_ONLY, email="GIS@delft.example")
    user = member(customer, Role.READ_ONLY)
    switch(user, MailKind.INCIDENT, on=True)
    assert recipients_of(customer, MailKind.INCIDENT) == ["gis@delft.example", user.email]
    switch(contact, MailKind.INCIDENT, on=False)
    assert recipients_of(customer, MailKind.INCIDENT) == [user.email]
    switch(contact, MailKind.INCIDENT, on=True)
    assert recipients_of(customer, MailKind.INCIDENT) == ["gis@delft.example", user.email]


def test_an_invoice_always_goes_to_somebody(customer: Customer) -> None:
    owner = member(customer, email="gis@delft.example")
    switch(owner, MailKind.INVOICE, on=False)
    switch(owner, MailKind.ACTIVE, on=False)
    assert recipients_of(customer, MailKind.INVOICE) == ["gis@delft.example"]
    assert recipients_of(customer, MailKind.ACTIVE) == []


def test_mail_about_money_is_not_for_every_role(customer: Customer) -> None:
    technical, billing = member(customer, Role.TECHNICAL), member(customer, Role.BILLING)
    switch(technical, MailKind.REMINDER, on=True)
    assert recipients_of(customer, MailKind.REMINDER) == ["gis@delft.example", billing.email]
    assert MailKind.REMINDER not in kinds_for(technical)
    assert MailKind.REMINDER in kinds_for(billing)


@pytest.mark.parametrize("fields", [{"is_active": False}, {"is_staff": True}, {"email": ""}])
def test_who_cannot_sign_in_as_a_member_gets_nothing(customer: Customer, fields: dict[str, object]) -> None:
    user = member(customer, **fields)
    switch(user, MailKind.INCIDENT, on=True)
    assert recipients_of(customer, MailKind.INCIDENT) == ["gis@delft.example"]


def test_a_role_at_another_customer_counts_for_nothing_here(customer: Customer) -> None:
    user = member(customer, Role.TECHNICAL)
    Membership.objects.create(user=user, customer=CustomerFactory(), role=Role.OWNER)
    switch(user, MailKind.INVOICE, on=True)
    assert recipients_of(customer, MailKind.INVOICE) == ["gis@delft.example"]


def test_the_switches_show_what_a_person_gets_now(customer: Customer) -> None:
    user = member(customer, Role.READ_ONLY, email="bo@delft.example")
    assert kinds_on(user) == set()
    Contact.objects.create(customer=customer, name="Bo", email="BO@delft.example", about_invoices=True)
    assert kinds_on(user) == set(MailKind) - {MailKind.APPROVED, MailKind.STARTED, MailKind.NEEDS_YOU}
    choose_kinds(user=user, kinds={MailKind.STARTED})
    assert kinds_on(user) == {MailKind.STARTED}
    choose_kinds(user=user, kinds={MailKind.ACTIVE})
    assert kinds_on(user) == {MailKind.ACTIVE}
    assert MailChoice.objects.filter(user=user).count() == len(MailKind)


def test_nobody_wants_it_and_nothing_is_written(customer: Customer) -> None:
    order = make_draft(customer=customer)
    arguments = {"key": "k", "customer": customer, "template": "orders/mail/started", "context": {"order": order}}
    assert write_message(kind=MailKind.STARTED, **arguments) is None  # type: ignore[arg-type]
    assert not Message.objects.filter(key="k").exists()


def test_approval_and_start_are_mailed_once_to_who_wants_to_know(customer: Customer) -> None:
    user = member(customer)
    choose_kinds(user=user, kinds={MailKind.APPROVED, MailKind.STARTED})
    order = approve_order(order=place_order(order=make_draft(customer=customer)))
    report(order.pk, Part.SERVER, PartState.FAILED, version=1)
    order.refresh_from_db()
    retry_order(order=order)
    mails = Message.objects.filter(to=[user.email]).order_by("pk")
    assert [(row.kind, row.key.split(":")[2]) for row in mails] == [
        (MailKind.APPROVED, "approved"),
        (MailKind.STARTED, "started"),
    ]
