"""Support sees the portal as a member does: marked, read-only, for half an hour, with the reason in the history."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from core import clock
from customers.choices import Role
from customers.models import ApiToken, Customer, SupportView, User
from customers.services import issue_token
from customers.support_views.services import SupportViewRefused, start_support_view
from customers.webhooks.services import create_webhook
from live.accounts.support_views import SESSION_KEY
from orders.models import Order
from tests.factories import MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db


@pytest.fixture
def supporter() -> User:
    """Staff who may view the portal as a member, and nothing else."""
    user: User = UserFactory(is_staff=True, username="sam")
    user.user_permissions.add(Permission.objects.get(codename="view_as_member"))
    return user


def start(owner: User, supporter: User) -> tuple[Client, SupportView]:
    view = start_support_view(membership=owner.memberships.get(), staff=supporter, why="Ticket 4711")
    client = Client()
    client.force_login(supporter)
    session = client.session
    session[SESSION_KEY] = view.pk
    session.save()
    return client, view


def test_the_portal_is_that_of_the_member_and_says_so(customer: Customer, owner: User, supporter: User) -> None:
    make_draft(customer=customer, name="Maps of the valley")
    make_draft(name="Maps of somebody else")
    client, view = start(owner, supporter)
    page = client.get("/").content
    assert b"Maps of the valley" in page
    assert b"Maps of somebody else" not in page
    assert f"You see the portal as {owner.email}, read-only".encode() in page
    assert client.get(f"/customers/{customer.number}/").status_code == 200
    view.refresh_from_db()
    assert view.pages == 2


def test_nothing_can_be_changed(customer: Customer, owner: User, supporter: User) -> None:
    order = make_draft(customer=customer)
    client, _view = start(owner, supporter)
    for page in (f"/orders/{order.reference}/placing/", f"/customers/{customer.number}/team/", "/profile/"):
        refused = client.post(page, {"email": "x@example.org", "role": "owner"})
        assert (refused.status_code, b"Nothing can be changed in this view" in refused.content) == (403, True)
    assert Order.objects.get().state == "draft"
    assert not customer.invitations.exists()


def test_neither_tokens_nor_webhooks_are_made_or_ended(customer: Customer, owner: User, supporter: User) -> None:
    token, _text = issue_token(user=owner, name="register")
    webhook = create_webhook(name="register", url="https://register.example/hook", customer=customer)
    secret = webhook.secret
    client, _view = start(owner, supporter)
    asked = {
        "name": "mine",
        "days": "30",
        "scopes": ["all:write"],
        "url": "https://mine.example/",
        "customer": customer.pk,
    }
    paths = ["/tokens/", f"/tokens/{token.digest}/revocation/", "/webhooks/", f"/webhooks/{webhook.pk}/"]
    paths += [f"/webhooks/{webhook.pk}/{verb}/" for verb in ("secret", "test", "replay", "deletion")]
    for path in paths:
        refused = client.post(path, asked)
        assert (refused.status_code, b"Nothing can be changed in this view" in refused.content) == (403, True), path
    assert list(ApiToken.objects.all()) == [token]
    webhook.refresh_from_db()
    assert (webhook.secret, webhook.name, webhook.deliveries.count()) == (secret, "register", 0)
    assert secret.encode() not in client.get(f"/webhooks/{webhook.pk}/").content


def test_personal_pages_stay_personal(owner: User, supporter: User) -> None:
    client, _view = start(owner, supporter)
    assert client.get("/profile/").status_code == 403
    own = client.get("/account/two-factor/")
    assert own.status_code == 200
    assert client.get("/account/sessions/").context["user"] == supporter


def test_api_and_admin_are_still_those_of_staff(owner: User, supporter: User) -> None:
    client, _view = start(owner, supporter)
    assert client.get("/api/v1/customers/").json()["results"] == []
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/customers/customer/").status_code == 403


def test_it_ends_when_asked_and_the_time_is_kept(customer: Customer, owner: User, supporter: User) -> None:
    client, view = start(owner, supporter)
    answer = client.post("/account/support-view/end/")
    assert answer["Location"] == f"/admin/customers/customer/{customer.pk}/change/"
    view.refresh_from_db()
    assert view.ended_at is not None
    assert b"Support view" not in client.get("/").content
    assert client.post("/account/support-view/end/")["Location"] == "/"


@pytest.mark.parametrize("reason", ["expired", "ended", "permission", "promoted"])
def test_it_ends_by_itself(owner: User, supporter: User, reason: str) -> None:
    client, view = start(owner, supporter)
    if reason == "expired":
        SupportView.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    elif reason == "ended":
        SupportView.objects.update(ended_at=clock.now())
    elif reason == "permission":
        supporter.user_permissions.clear()
    else:
        User.objects.filter(pk=view.member_id).update(is_staff=True)
    assert b"Support view" not in client.get("/").content
    assert SESSION_KEY not in client.session


def test_the_view_of_another_is_not_ones_own(owner: User, supporter: User) -> None:
    _client, view = start(owner, supporter)
    other: User = UserFactory(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(other)
    session = client.session
    session[SESSION_KEY] = view.pk
    session.save()
    assert b"Support view" not in client.get("/").content


def test_starting_needs_the_permission_a_reason_and_a_customers_member(owner: User, supporter: User) -> None:
    membership = owner.memberships.get()
    clerk, promoted = UserFactory(is_staff=True), MembershipFactory(user__is_staff=True)
    with pytest.raises(SupportViewRefused, match="does not include"):
        start_support_view(membership=membership, staff=clerk, why="Ticket")
    with pytest.raises(SupportViewRefused, match="reason"):
        start_support_view(membership=membership, staff=supporter, why=" ")
    with pytest.raises(SupportViewRefused, match="staff cannot be viewed"):
        start_support_view(membership=promoted, staff=supporter, why="Ticket")
    assert not SupportView.objects.exists()


def test_it_is_in_the_customers_history_and_one_runs_at_a_time(owner: User, supporter: User) -> None:
    _client, first = start(owner, supporter)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.change_message) == (supporter, f"Viewed the portal as {owner.email}. Ticket 4711")
    second = MembershipFactory(role=Role.BILLING)
    start_support_view(membership=second, staff=supporter, why="Ticket 4712")
    first.refresh_from_db()
    assert first.ended_at is not None
    assert SupportView.objects.running_at(clock.now()).count() == 1
