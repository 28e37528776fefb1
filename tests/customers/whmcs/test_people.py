"""People of a client of WHMCS: staff see them and may invite them; a sync makes nobody a member and mails nobody."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.choices import Role
from customers.erasure.services import anonymise_customer
from customers.invitations.services import invite_member
from customers.models import Customer, Invitation, Membership, Message, User, WhmcsClientRow
from customers.services import admit_user
from customers.whmcs.client import WhmcsClient
from customers.whmcs.client_record import ClientDetails, people_of, read_people
from customers.whmcs.simulator.server import Simulator
from customers.whmcs.sync import sync_client, sync_page
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
INVITE = "email=contact1%40whmcs.example&amp;role=read_only"


@pytest.fixture
def customer(whmcs: WhmcsClient, simulator: Simulator) -> Customer:
    """The customer of a client that has a user and a contact, all of which were read."""
    simulator.records.add_contact(3)
    sync_page(whmcs, is_deep=True)
    return Customer.objects.get(external_ids__value="3")


def people(customer: Customer) -> list[tuple[str, bool]]:
    row = WhmcsClientRow.objects.get(customer=customer)
    return [(person["email"], person["is_contact"]) for person in row.people]


def test_deep_sync_reads_users_and_contacts_and_mails_nobody(customer: Customer) -> None:
    assert people(customer) == [("client3@whmcs.example", False), ("contact1@whmcs.example", True)]
    assert WhmcsClientRow.objects.get(customer=customer).people[1]["name"] == "Bo Smit 1"
    assert not Message.objects.exists()
    assert not Invitation.objects.exists()
    assert not Membership.objects.exists()
    assert not User.objects.filter(email__endswith="whmcs.example").exists()


def test_usual_sync_reads_users_with_the_details_and_asks_for_no_contacts(
    whmcs: WhmcsClient, simulator: Simulator
) -> None:
    simulator.records.add_contact(3)
    before = whmcs.calls
    sync_page(whmcs)
    assert whmcs.calls - before == 1 + 7  # the list, and the details of each client
    assert people(Customer.objects.get(external_ids__value="3")) == [("client3@whmcs.example", False)]


def test_contacts_stay_when_only_the_details_are_read(
    whmcs: WhmcsClient, simulator: Simulator, customer: Customer
) -> None:
    simulator.records.clients[3]["city"] = "Arnhem"
    simulator.records.clients[3]["groupid"] = 9  # so that the list differs
    sync_page(whmcs)
    assert people(customer)[1] == ("contact1@whmcs.example", True)
    simulator.records.contacts.clear()
    sync_client(whmcs, 3)
    assert people(customer) == [("client3@whmcs.example", False)]


def test_second_deep_sync_writes_nothing(whmcs: WhmcsClient, customer: Customer) -> None:
    with CaptureQueriesContext(connection) as queries:
        sync_page(whmcs, is_deep=True)
    assert people(customer)[1] == ("contact1@whmcs.example", True)
    assert [query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))] == []


def test_page_of_the_customer_offers_to_invite_them(admin_client: Client, customer: Customer) -> None:
    page, invite = (f"/admin/customers/customer/{customer.pk}/{name}/" for name in ("change", "invite"))
    content = admin_client.get(page).content.decode()
    assert "In WHMCS, and no members here" in content
    assert INVITE in content
    form = admin_client.get(invite, {"email": "contact1@whmcs.example", "role": "read_only"}).content.decode()
    assert 'value="contact1@whmcs.example"' in form
    assert '<option value="read_only" selected>' in form
    assert not Invitation.objects.exists()  # looking sends nothing
    admin_client.post(invite, {"email": "contact1@whmcs.example", "role": "technical"})
    assert Invitation.objects.get().role == Role.TECHNICAL
    assert INVITE not in admin_client.get(page).content.decode()


def test_members_and_invited_people_are_not_offered_again(admin_client: Client, customer: Customer) -> None:
    admit_user(customer=customer, email="Client3@whmcs.example", role=Role.OWNER)
    invite_member(customer=customer, email="contact1@whmcs.example", role=Role.BILLING)
    page = admin_client.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert "In WHMCS, and no members here" not in page


def test_staff_who_may_not_invite_see_no_link(client: Client, customer: Customer) -> None:
    clerk = UserFactory(is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_customer"))
    client.force_login(clerk)
    page = client.get(f"/admin/customers/customer/{customer.pk}/change/").content.decode()
    assert "contact1@whmcs.example" in page
    assert INVITE not in page


def test_anonymisation_forgets_them(whmcs: WhmcsClient, customer: Customer, admin_user: User) -> None:
    anonymise_customer(customer=customer, actor=admin_user, why="Request")
    assert people(customer) == []
    sync_page(whmcs, is_deep=True)
    assert people(customer) == []


@pytest.mark.parametrize(
    ("items", "emails"),
    [
        ([{"email": "A@b.example"}, {"email": "a@B.example", "name": "Twice"}], ["a@b.example"]),
        ([{"email": "no address"}, {"email": ""}, {}, {"email": "a@b"}, {"email": "a@b.example, x@y.example"}], []),
        ([{"email": "x" * 200 + "@b.example"}], []),
        (
            [{"email": f"p{number}@b.example"} for number in range(500)],
            [f"p{number}@b.example" for number in range(200)],
        ),
    ],
    ids=["once", "no address", "too long", "too many"],
)
def test_addresses_are_read_tolerantly_and_bounded(items: list[dict[str, str]], emails: list[str]) -> None:
    assert [person["email"] for person in read_people(items, are_contacts=True)] == emails


def test_names_are_plain_text() -> None:
    contact = {"firstname": "Jo &amp; Co\0", "lastname": "Smit", "email": "jo@b.example"}
    (person,) = read_people([contact], are_contacts=True)
    assert person["name"] == "Jo & Co Smit"


def test_answer_without_users_keeps_those_that_were_read() -> None:
    former = [*read_people([{"email": "a@b.example"}], are_contacts=False)]
    assert people_of(ClientDetails(client_id=1), former=former) == former
    assert people_of(None, former=former) == former
    assert people_of(ClientDetails(client_id=1, users=()), former=former) == []


def test_contact_who_is_a_user_too_is_listed_once() -> None:
    users = read_people([{"email": "a@b.example"}], are_contacts=False)
    contacts = read_people([{"email": "a@b.example"}, {"email": "c@b.example"}], are_contacts=True)
    listed = people_of(ClientDetails(client_id=1, users=users, contacts=contacts), former=[])
    assert [(person["email"], person["is_contact"]) for person in listed] == [
        ("a@b.example", False),
        ("c@b.example", True),
    ]
