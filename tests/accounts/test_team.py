"""The team page: members see who belongs to the customer, owners change it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import Customer, Invitation, Membership, User
from tests.factories import MembershipFactory, UserFactory
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db


def team(customer: Customer, rest: str = "") -> str:
    return f"/customers/{customer.number}/team/{rest}"


def test_an_owner_invites_and_sees_the_invitation(customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    asked = {"email": "ann@example.org", "role": "billing"}
    assert b"Invitation sent to ann@example.org" in client.post(team(customer), asked, follow=True).content
    page = client.get(team(customer)).content
    assert b"ann@example.org" in page
    assert b"Revoke" in page
    again = client.post(team(customer), asked)
    assert (again.status_code, b"has been invited already" in again.content) == (422, True)
    wrong = client.post(team(customer), {"email": "nobody", "role": "king"})
    assert (wrong.status_code, b"Select a valid choice" in wrong.content) == (422, True)
    assert Invitation.objects.get().role == Role.BILLING


def test_an_owner_changes_roles_and_removes(customer: Customer, owner: User, onlooker: User, sign_in: SignIn) -> None:
    client, member = sign_in(owner), onlooker.memberships.get()
    client.post(team(customer, f"{member.pk}/role/"), {"role": "technical"})
    member.refresh_from_db()
    assert member.role == Role.TECHNICAL
    wrong = client.post(team(customer, f"{member.pk}/role/"), {"role": "king"}, follow=True)
    assert b"Choose one of the roles." in wrong.content
    same = client.post(team(customer, f"{member.pk}/role/"), {"role": "technical"}, follow=True)
    assert b"has this role already" in same.content
    client.post(team(customer, f"{member.pk}/removal/"))
    assert not Membership.objects.filter(pk=member.pk).exists()
    own = client.post(team(customer, f"{owner.memberships.get().pk}/removal/"), follow=True)
    assert b"This is the only owner" in own.content


def test_an_owner_sends_again_and_revokes(customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    invitation = invite_member(customer=customer, email="ann@example.org", role=Role.BILLING)
    soon = client.post(team(customer, f"invitations/{invitation.pk}/sending/"), follow=True)
    assert b"Wait a minute" in soon.content
    client.post(team(customer, f"invitations/{invitation.pk}/revocation/"))
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
    twice = client.post(team(customer, f"invitations/{invitation.pk}/revocation/"), follow=True)
    assert b"no longer open" in twice.content


@pytest.mark.parametrize("role", [Role.TECHNICAL, Role.BILLING, Role.READ_ONLY])
def test_other_members_look_and_may_leave(customer: Customer, owner: User, sign_in: SignIn, role: Role) -> None:
    member = MembershipFactory(customer=customer, role=role)
    invitation = invite_member(customer=customer, email="ann@example.org", role=Role.BILLING)
    client = sign_in(member.user)
    page = client.get(team(customer)).content
    assert owner.email.encode() in page
    assert b"Invite a person" not in page
    assert b"ann@example.org" not in page
    others = owner.memberships.get().pk
    for rest in (
        "",
        f"{others}/role/",
        f"{others}/removal/",
        f"{member.pk}/role/",
        f"invitations/{invitation.pk}/sending/",
        f"invitations/{invitation.pk}/revocation/",
    ):
        assert client.post(team(customer, rest), {"email": "x@example.org", "role": "owner"}).status_code == 403
    assert client.post(team(customer, f"{member.pk}/removal/"))["Location"] == "/"
    assert list(customer.memberships.values_list("user", flat=True)) == [owner.pk]


def test_rows_of_another_customer_are_not_there(customer: Customer, owner: User, stranger: User) -> None:
    client = Client()
    client.force_login(stranger)
    own = stranger.memberships.get()
    theirs = owner.memberships.get().pk
    invitation = invite_member(customer=customer, email="ann@example.org", role=Role.BILLING)
    for number in (customer.number, own.customer.number, "NOBODY"):
        base = f"/customers/{number}/team/"
        for rest in (f"{theirs}/removal/", f"{theirs}/role/", f"invitations/{invitation.pk}/revocation/"):
            assert client.post(base + rest, {"role": "owner"}).status_code == 404
    assert customer.memberships.count() == 1


def test_staff_look_and_change_nothing_here(customer: Customer, owner: User) -> None:
    staff = UserFactory(is_staff=True, is_superuser=True)
    own = MembershipFactory(customer=customer, user=staff)
    client = Client()
    client.force_login(staff)
    assert client.get(team(customer)).status_code == 200
    assert client.post(team(customer, f"{own.pk}/removal/")).status_code == 403
    assert client.post(team(customer, f"{owner.memberships.get().pk}/removal/")).status_code == 403


def test_the_page_takes_a_fixed_number_of_queries(customer: Customer, owner: User, sign_in: SignIn) -> None:
    client = sign_in(owner)
    client.get(team(customer))
    with CaptureQueriesContext(connection) as few:
        client.get(team(customer))
    for number in range(20):
        MembershipFactory(customer=customer)
        invite_member(customer=customer, email=f"n{number}@example.org", role=Role.BILLING, actor=owner)
    with CaptureQueriesContext(connection) as many:
        client.get(team(customer))
    assert len(many) == len(few) <= 8
