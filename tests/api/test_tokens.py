"""Tokens are limited to scopes, to one customer, and to networks; never to more than their user may do."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from customers.models import ApiToken, Customer, User
from customers.services import TokenRefused, issue_token, revoke_token
from customers.tokens.choices import clean_networks, clean_scopes, covers, is_within, scope_choices
from orders.models import Order
from tests.api.conftest import furnish, make_staff
from tests.factories import CustomerFactory, MembershipFactory, make_draft

pytestmark = pytest.mark.django_db
Program = Callable[..., APIClient]


@pytest.fixture
def member(customer: Customer) -> User:
    """The owner of the customer."""
    return MembershipFactory(customer=customer).user


@pytest.fixture
def program() -> Program:
    """A program with a token that has limits."""

    def make(user: User, **limits: Any) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {issue_token(user=user, name='a program', **limits)[1]}")
        return client

    return make


def request_of(order: Order) -> dict[str, str]:
    """Another order of the same customer, product and plan."""
    product = order.release.product.slug
    return {"customer": order.customer.number, "product": product, "plan": order.plan.slug, "name": "more maps"}


def test_right_to_change_includes_reading_and_not_the_other_way_round() -> None:
    assert covers(["orders:write"], "orders", write=False)
    assert covers(["orders:read"], "orders", write=False)
    assert not covers(["orders:read"], "orders", write=True)
    assert not covers(["orders:write"], "invoices", write=False)
    assert covers(["all:read"], "invoices", write=False)
    assert not covers(["all:read"], "webhooks", write=True)
    assert covers(["all:write"], "webhooks", write=True)
    assert not covers([], "orders", write=False)


def test_scopes_are_cleaned_and_unknown_names_refused() -> None:
    assert clean_scopes([" orders:write", "invoices:read", "orders:write"]) == ["invoices:read", "orders:write"]
    for wrong in (["orders"], ["orders:admin"], ["invoices:write"], ["orders:read", "x:read"], [], [" "]):
        with pytest.raises(ValueError, match="scope"):
            clean_scopes(wrong)
    assert len(scope_choices()) == len({name for name, _label in scope_choices()})


@pytest.mark.parametrize(
    ("address", "networks", "expected"),
    [
        ("203.0.113.9", [], True),
        ("203.0.113.9", ["203.0.113.0/24"], True),
        ("::ffff:203.0.113.9", ["203.0.113.0/24"], True),
        ("198.51.100.1", ["203.0.113.0/24"], False),
        ("2001:db8::1", ["203.0.113.0/24", "2001:db8::/32"], True),
        ("not an address", ["203.0.113.0/24"], False),
        ("", ["0.0.0.0/0"], False),
    ],
)
def test_address_is_compared_with_the_networks(address: str, networks: list[str], expected: bool) -> None:
    assert is_within(address, networks) is expected


def test_networks_are_stored_in_cidr_form_and_nonsense_is_refused() -> None:
    assert clean_networks([" 203.0.113.7 ", "", "2001:db8::/32"]) == ["203.0.113.7/32", "2001:db8::/32"]
    for wrong in ("203.0.113.7/24", "office", "1.2.3"):
        with pytest.raises(ValueError, match="not an IP address or network"):
            clean_networks([wrong])


def test_token_reads_what_its_scopes_name_and_nothing_else(member: User, program: Program, order: Order) -> None:
    client = program(member, scopes=["orders:read"])
    assert client.get(f"/api/v1/orders/{order.reference}/").status_code == 200
    refused = client.get("/api/v1/invoices/")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["detail"] == "This token lacks the scope invoices:read."
    assert refused["WWW-Authenticate"] == 'Bearer error="insufficient_scope", scope="invoices:read"'
    refused = client.post(f"/api/v1/orders/{order.reference}/removal/")
    assert (refused.status_code, refused.json()["detail"]) == (403, "This token lacks the scope orders:write.")
    order.refresh_from_db()
    assert order.wanted == "running"


def test_scope_gives_nobody_what_the_user_may_not(viewer: APIClient, program: Program, order: Order) -> None:
    reader = User.objects.get(auth_token_set__isnull=False, memberships__role="read_only")
    refused = program(reader, scopes=["orders:write"]).post(f"/api/v1/orders/{order.reference}/removal/")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_every_list_is_limited_to_the_customer_of_the_token(
    operator: APIClient, program: Program, order: Order
) -> None:
    staff = User.objects.get(is_staff=True)
    other = furnish(make_draft(customer=CustomerFactory(name="Gemeente Oost"), name="other maps"))
    narrow = program(staff, customer=other.customer)
    rooms = ("customers", "orders", "servers", "services", "monitors", "incidents", "webhooks")
    for path in (*rooms, "subscriptions", "invoices", "payments"):
        assert len(operator.get(f"/api/v1/{path}/").json()["results"]) == 2, path
        (row,) = narrow.get(f"/api/v1/{path}/").json()["results"]
        assert other.reference in str(row) or other.customer.number in str(row), path
    assert narrow.get(f"/api/v1/orders/{order.reference}/").status_code == 404
    body = {
        "customer": order.customer.number,
        "product": order.release.product.slug,
        "plan": order.plan.slug,
        "name": "x",
    }
    refused = narrow.post("/api/v1/orders/", body, format="json")
    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["customer"])


def test_reply_to_a_key_is_not_repeated_to_a_token_of_another_customer(program: Program, draft: Order) -> None:
    user = MembershipFactory(customer=draft.customer).user
    other = MembershipFactory(user=user).customer
    body = {
        "customer": draft.customer.number,
        "product": draft.release.product.slug,
        "plan": draft.plan.slug,
        "name": "y",
    }
    key = {"Idempotency-Key": "one-4711"}
    placed = program(user).post("/api/v1/orders/", body, format="json", headers=key)
    again = program(user, customer=other).post("/api/v1/orders/", body, format="json", headers=key)
    assert (placed.status_code, again.status_code) == (201, 422)
    assert draft.customer.name not in again.content.decode()


def test_token_is_refused_outside_its_networks(member: User, program: Program) -> None:
    client = program(member, networks=["203.0.113.0/24"])
    assert client.get("/api/v1/orders/", REMOTE_ADDR="203.0.113.9").status_code == 200
    used = ApiToken.objects.values_list("last_used_at", flat=True).get()
    refused = client.get("/api/v1/orders/", REMOTE_ADDR="198.51.100.1")
    assert (refused.status_code, refused.json()["code"]) == (403, "network_not_allowed")
    forged = client.get("/api/v1/orders/", REMOTE_ADDR="198.51.100.1", headers={"X-Forwarded-For": "203.0.113.9"})
    assert forged.status_code == 403
    assert ApiToken.objects.values_list("last_used_at", flat=True).get() == used


def test_token_for_a_customer_that_its_user_cannot_see_is_not_issued(member: User) -> None:
    wrong: tuple[dict[str, Any], ...] = (
        {"customer": CustomerFactory()},
        {"scopes": ["x:read"]},
        {"scopes": []},
        {"networks": ["office"]},
    )
    for limits in wrong:
        with pytest.raises(TokenRefused) as refused:
            issue_token(user=member, name="a program", **limits)
        assert refused.value.field == next(iter(limits))
    assert not ApiToken.objects.exists()


def test_revoked_token_opens_nothing(member: User) -> None:
    token, text = issue_token(user=member, name="a program")
    revoke_token(token=token)
    assert Client().get("/api/v1/orders/", headers={"Authorization": f"Bearer {text}"}).status_code == 401


def test_session_of_the_portal_has_no_scopes(member: User, order: Order) -> None:
    browser = Client()
    browser.force_login(member)
    assert browser.get(f"/api/v1/orders/{order.reference}/").status_code == 200


def test_command_issues_a_limited_token(member: User, customer: Customer) -> None:
    out = StringIO()
    limits = ("--scope", "orders:read", "--customer", customer.number, "--network", "203.0.113.7")
    call_command("token", member.email, "--name", "register", "--days", "7", *limits, stdout=out)
    token = ApiToken.objects.get()
    assert (token.scopes, token.customer, token.networks) == (["orders:read"], customer, ["203.0.113.7/32"])
    assert out.getvalue().startswith("gcl_")
    for wrong, message in (("--customer", "There is no customer C0"), ("--scope", "Unknown scope: C0")):
        with pytest.raises(CommandError, match=message):
            call_command("token", member.email, "--name", "register", wrong, "C0")


def test_staff_issue_limited_tokens_in_the_admin_and_read_their_limits(member: User, customer: Customer) -> None:
    staff = make_staff("customers.add_apitoken", "customers.view_apitoken", "customers.view_customer")
    browser = Client()
    browser.force_login(staff)
    page = reverse("admin:customers_apitoken_add")
    asked = {"user": member.pk, "name": "register", "scopes": ["orders:read"], "customer": CustomerFactory().pk}
    assert "cannot see this customer" in browser.post(page, asked).content.decode()
    refused = browser.post(page, asked | {"customer": customer.pk, "networks": "office"})
    assert "not an IP address or network" in refused.content.decode()
    made = browser.post(page, asked | {"customer": customer.pk, "networks": "203.0.113.0/24\n"}, follow=True)
    assert "Copy this token now" in made.content.decode()
    token = ApiToken.objects.get()
    assert (token.scopes, token.customer, token.networks) == (["orders:read"], customer, ["203.0.113.0/24"])
    shown = browser.get(reverse("admin:customers_apitoken_change", args=(token.pk,))).content.decode()
    assert "orders:read" in shown
    assert "203.0.113.0/24" in shown
