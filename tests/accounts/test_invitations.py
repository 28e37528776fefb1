"""People are invited by mail, and become members once they have signed in with the invited address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import IntegrityError, transaction
from django.test import Client

from core import clock
from customers.choices import Role
from customers.invitations.links import link_of
from customers.invitations.services import (
    InvitationRefused,
    LastOwner,
    accept_invitation,
    change_role,
    find_invitation,
    invite_member,
    remove_member,
    resend_invitation,
    revoke_invitation,
)
from customers.mail_rendering import render_mail
from customers.models import Customer, Invitation, Membership, Message, User
from customers.services import NothingToChange
from tests.factories import CustomerFactory, MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db
ANN = "ann@example.org"


@pytest.fixture(autouse=True)
def _same_second() -> Iterator[None]:
    """A link carries the second of its signature, and is compared here with what was mailed."""
    with time_machine.travel(clock.now(), tick=False):
        yield


def invite(customer: Customer, email: str = ANN, **fields: object) -> Invitation:
    return invite_member(customer=customer, email=email, **{"role": Role.TECHNICAL, **fields})


def token_of(invitation: Invitation) -> str:
    return link_of(invitation).rstrip("/").rsplit("/", 1)[1]


def path_of(invitation: Invitation) -> str:
    return link_of(invitation).removeprefix("http://testserver")


def age(invitation: Invitation, **time: float) -> None:
    """The invitation was sent that long ago."""
    before = timedelta(**time)
    sent, expires = invitation.sent_at - before, invitation.expires_at - before
    Invitation.objects.filter(pk=invitation.pk).update(sent_at=sent, expires_at=expires)
    invitation.refresh_from_db()


def test_an_invitation_is_mailed_with_its_link(customer: Customer, owner: User) -> None:
    invitation = invite(customer, " Ann@Example.org ", actor=owner)
    assert (invitation.email, invitation.role, invitation.state) == (ANN, "technical", "open")
    letter = Message.objects.get()
    assert letter.to == [ANN]
    rendered = render_mail(letter)
    assert rendered.subject == "Invitation to Waterschap Vallei"
    assert "Olga invites you to Waterschap Vallei at Geocat Live. Your role: Technical." in rendered.text
    assert path_of(invitation) in rendered.text
    assert link_of(invitation) in rendered.html
    entry = LogEntry.objects.get()
    assert (entry.user_id, entry.change_message) == (owner.pk, "Invited ann@example.org as Technical.")


def test_the_link_names_its_invitation_and_nothing_else_does(customer: Customer) -> None:
    invitation = invite(customer)
    token = token_of(invitation)
    assert find_invitation(token) == invitation
    assert find_invitation(token[:-1] + ("a" if token[-1] != "a" else "b")) is None
    assert find_invitation("nonsense") is None
    invitation.delete()
    assert find_invitation(token) is None


def test_a_member_is_not_invited_again(customer: Customer, owner: User) -> None:
    with pytest.raises(InvitationRefused, match="is a member already"):
        invite(customer, owner.email.upper())


def test_one_open_invitation_per_address(customer: Customer) -> None:
    invite(customer)
    with pytest.raises(InvitationRefused, match="has been invited already") as refused:
        invite(customer, "ANN@example.org")
    assert refused.value.field == "email"
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(customer=customer, email=ANN, sent_at=clock.now(), expires_at=clock.now())
    assert invite(CustomerFactory()).state == "open"


def test_a_customer_cannot_mail_the_world(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("customers.invitations.services.MOST_OPEN", 2)
    for number in range(2):
        invite(customer, f"someone{number}@example.org")
    with pytest.raises(InvitationRefused, match="Too many"):
        invite(customer)


def test_sent_again_the_first_link_is_worth_nothing(customer: Customer) -> None:
    invitation = invite(customer)
    with pytest.raises(InvitationRefused, match="Wait a minute"):
        resend_invitation(invitation=invitation)
    first = token_of(invitation)
    age(invitation, days=30)
    assert invitation.state == "expired"
    again = resend_invitation(invitation=invitation)
    assert (again.state, again.link_version) == ("open", 2)
    assert find_invitation(first) is None
    assert find_invitation(token_of(again)) == invitation
    assert Message.objects.count() == 2


def test_a_revoked_invitation_cannot_be_used_sent_or_revoked(customer: Customer) -> None:
    invitation = revoke_invitation(invitation=invite(customer))
    assert invitation.state == "revoked"
    for verb in (resend_invitation, revoke_invitation):
        with pytest.raises(InvitationRefused, match="no longer open"):
            verb(invitation=invitation)
    with pytest.raises(InvitationRefused, match="no longer open"):
        accept_invitation(invitation=invitation, user=UserFactory(email=ANN))
    assert invite(customer).state == "open"


def test_accepted_once_by_its_own_reader(customer: Customer) -> None:
    invitation = invite(customer)
    ann: User = UserFactory(email=ANN)
    with pytest.raises(InvitationRefused, match=r"is for ann@example\.org"):
        accept_invitation(invitation=invitation, user=UserFactory())
    membership = accept_invitation(invitation=invitation, user=ann)
    assert (membership.user, membership.customer, membership.role) == (ann, customer, "technical")
    invitation.refresh_from_db()
    assert (invitation.state.value, invitation.accepted_by) == ("accepted", ann)
    with pytest.raises(InvitationRefused, match="no longer open"):
        accept_invitation(invitation=invitation, user=ann)


def test_staff_do_not_become_members_by_invitation(customer: Customer) -> None:
    with pytest.raises(InvitationRefused, match="staff do not become members"):
        accept_invitation(invitation=invite(customer), user=UserFactory(email=ANN, is_staff=True))
    assert not Membership.objects.exists()


def test_one_person_belongs_to_several_customers(customer: Customer) -> None:
    ann = UserFactory(email=ANN)
    accept_invitation(invitation=invite(customer), user=ann)
    accept_invitation(invitation=invite(CustomerFactory(), role=Role.BILLING), user=ann)
    assert sorted(ann.memberships.values_list("role", flat=True)) == ["billing", "technical"]


def test_from_the_mail_to_the_customers_page_with_a_new_account(client: Client, customer: Customer) -> None:
    invitation = invite(customer)
    page = client.get(path_of(invitation))
    assert b"Join Waterschap Vallei" in page.content
    assert not User.objects.filter(email=ANN).exists()
    form = {"email": ANN, "next": path_of(invitation)}
    answer = client.post(path_of(invitation), form)
    assert (answer.status_code, answer["Location"]) == (307, "/account/login/")
    client.post("/account/login/", form)
    code = re.search(r"^\s*([A-Z0-9-]{6,12})\s*$", str(mail.outbox[-1].body), re.MULTILINE)
    assert code is not None
    answer = client.post("/account/login/code/", {"code": code[1], "next": path_of(invitation)})
    assert answer["Location"] == path_of(invitation)
    assert b"Accept the invitation" in client.get(path_of(invitation)).content
    answer = client.post(path_of(invitation), follow=True)
    assert b"Welcome to Waterschap Vallei." in answer.content
    membership = Membership.objects.get(user__email=ANN)
    assert (membership.role, membership.user.has_usable_password()) == ("technical", False)


def test_somebody_else_who_is_signed_in_is_asked_to_sign_out(customer: Customer, stranger: User) -> None:
    invitation, client = invite(customer), Client()
    client.force_login(stranger)
    assert b"Sign out, then open the link again" in client.get(path_of(invitation)).content
    refused = client.post(path_of(invitation))
    assert (refused.status_code, b"Sign in with that address" in refused.content) == (409, True)
    assert not customer.memberships.exists()


@pytest.mark.parametrize(
    ("state", "sentence"),
    [("expired", b"has expired"), ("revoked", b"does not work"), ("accepted", b"has been accepted")],
)
def test_a_link_that_is_over_says_why(client: Client, customer: Customer, state: str, sentence: bytes) -> None:
    invitation = invite(customer)
    if state == "expired":
        age(invitation, days=8)
    elif state == "revoked":
        revoke_invitation(invitation=invitation)
    else:
        accept_invitation(invitation=invitation, user=UserFactory(email=ANN))
    for answer in (client.get(path_of(invitation)), client.post(path_of(invitation))):
        assert (answer.status_code, sentence in answer.content) == (410, True)


def test_a_link_that_never_was_does_not_tell(client: Client) -> None:
    answer = client.get("/account/invitations/nonsense/")
    assert (answer.status_code, b"does not work" in answer.content) == (410, True)


def test_the_last_owner_stays(customer: Customer, owner: User, onlooker: User) -> None:
    own = owner.memberships.get()
    with pytest.raises(LastOwner):
        change_role(membership=own, role=Role.BILLING)
    with pytest.raises(LastOwner):
        remove_member(membership=own)
    change_role(membership=onlooker.memberships.get(), role=Role.OWNER, actor=owner)
    change_role(membership=own, role=Role.BILLING)
    assert sorted(customer.memberships.values_list("role", flat=True)) == ["billing", "owner"]
    with pytest.raises(NothingToChange):
        change_role(membership=own, role=Role.BILLING)


def test_who_is_removed_sees_nothing_any_more(customer: Customer, owner: User, onlooker: User) -> None:
    remove_member(membership=onlooker.memberships.get(), actor=owner)
    assert not Customer.objects.visible_to(onlooker).exists()
    assert User.objects.filter(pk=onlooker.pk).exists()
    assert LogEntry.objects.get().change_message == "Removed the member vera@example.org."


def test_the_admin_sends_again_and_revokes(admin_client: Client, customer: Customer) -> None:
    invitation = invite(customer)
    age(invitation, hours=1)
    asked = {"_selected_action": [invitation.pk], "confirmed": "yes", "why": "Asked by telephone."}
    url = "/admin/customers/invitation/"
    assert (
        b"Each person gets a new link"
        in admin_client.post(url, {"action": "send_again", "_selected_action": [invitation.pk]}).content
    )
    admin_client.post(url, {**asked, "action": "send_again"})
    admin_client.post(url, {**asked, "action": "revoke"})
    invitation.refresh_from_db()
    assert (invitation.link_version, invitation.state) == (2, "revoked")
    assert b"Revoked" in admin_client.get(f"{url}{invitation.pk}/change/").content
    assert MembershipFactory(customer=customer).role == Role.OWNER
