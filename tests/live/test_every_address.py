"""Every address, walked as a stranger, a member of another customer, a read-only member and a suspended user.

A new address is covered by being there: it has to refuse, or be named in OPEN with its reason. The admin has a walk of
its own (test_admin_strangers).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from billing.models import InvoicePdf
from customers.choices import Role
from customers.invitations.services import invite_member
from customers.models import ApiToken, Membership, User
from monitoring.models import MonthlyReport
from orders.models import Order
from tests.api.conftest import furnish
from tests.factories import CustomerFactory, MembershipFactory, make_draft

pytestmark = pytest.mark.django_db

OPEN = (
    *("/account/", "/metrics"),  # signing in, and what shows nothing of customers
    *("/api/schema/", "/api/docs/", "/api/problems/"),  # the published description of the API
    *("/hooks/", "/status/", "/sandbox/"),  # signed, secret, or invented: each has tests of its own
)
CATALOGUE = (
    "/api/v1/products/",
    "/api/v1/releases/",
    "/api/v1/plans/",
    "/orders/new/",
    "/product-icons/",
)  # for all who are signed in
WRITES = ("post", "put", "patch", "delete")
Person = Callable[[Order], User]


def addresses(under: Any = None, before: str = "/") -> Iterator[str]:
    """Every address outside the admin, such as `/orders/<reference>/`."""
    for pattern in (under or get_resolver()).url_patterns:
        here = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, here)
        elif isinstance(pattern, URLPattern) and not here.startswith("/admin/"):
            yield re.sub(r"\(\?P(<\w+>)(?:\[[^\]]*\][+{}\d,]*)\)", r"\1", re.sub(r"<\w+:", "<", here))


CLOSED = sorted({address for address in addresses() if not address.startswith(OPEN)})
NAMED = [address for address in CLOSED if "<" in address and not address.startswith(CATALOGUE)]


@pytest.fixture
def order() -> Order:
    """An order with a row in every room, an invoice with its files, and an open invitation."""
    cache.clear()
    order = furnish(make_draft(name="Secret maps", customer=CustomerFactory(name="Waterschap Vallei")))
    path = default_storage.save("invoices/walked.pdf", ContentFile(b"%PDF-1.7 maps"))
    InvoicePdf.objects.filter(invoice=order.invoices.get()).update(path=path)
    invite_member(customer=order.customer, email="ann@example.org", role=Role.BILLING)
    return order


def filled_in(address: str, order: Order, *, is_there: bool = True) -> str:
    """The address of the order's own rows, or of rows that do not exist."""
    member, invitation = order.customer.memberships.first(), order.customer.invitations.get()
    invoice = order.invoices.get()
    own: dict[str, object] = {
        "reference": order.reference,
        "number": invoice.number if "/invoices/" in address else order.customer.number,
        "pk": _pk(address, order),
        "product": order.plan.product.slug,
        "plan": order.plan.slug,
        "slug": order.plan.product.slug,
        "month": "2026-06",
        "endpoint": "wms",
        "member": member.pk if member else 0,
        "invitation": invitation.pk,
        "service_id": 7,
        "key": "nothing",
        "release": order.release_id,
        "version": order.release.version,
        "rest": "nothing",
    }
    missing: dict[str, object] = {
        **own,
        "reference": "GLXXXX",
        "number": "NOTHING",
        "pk": 987654,
        "member": 987654,
        "invitation": 987654,
        "service_id": 98,
    }
    values = own if is_there else missing
    return re.sub(r"<(\w+)>", lambda match: str(values[match[1]]), address)


def _pk(address: str, order: Order) -> int:
    rows = {
        "servers": order.server.pk,
        "services": order.deployment.services.get().pk,
        "monitors": order.monitor.pk,
        "subscriptions": order.subscription.pk,
    }
    return next((pk for room, pk in rows.items() if f"/{room}/" in address), 1)


def browser(user: User | None) -> Client:
    """The user's own browser."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def program(user: User) -> dict[str, str]:
    """The header of a program that calls for the user."""
    _row, token = ApiToken.objects.create(user=user)
    return {"authorization": f"Bearer {token}"}


def state(order: Order) -> tuple[object, ...]:
    """What nobody may have changed."""
    order.refresh_from_db()
    customer = order.customer
    members = list(Membership.objects.filter(customer=customer).order_by("pk").values_list("user", "role"))
    invitation = customer.invitations.get()
    return (
        *(order.state, order.name, order.wanted, order.wanted_version, order.events.count(), members),
        *(invitation.link_version, invitation.revoked_at, customer.orders.count()),
    )


def told_of(order: Order, text: str) -> list[str]:
    """What of the order and its customer is in the text."""
    secrets = ("Secret maps", "Waterschap Vallei", order.customer.number, order.invoices.get().number, "ann@example")
    return [secret for secret in secrets if secret in text]


def test_there_is_something_to_walk() -> None:
    assert {"/", "/orders/<reference>/", "/api/v1/orders/<reference>/", "/invoices/<number>/pdf/"} <= set(CLOSED)
    assert "/customers/<number>/team/<member>/removal/" in CLOSED
    assert len(CLOSED) > 60
    assert all("(" not in address for address in CLOSED)


@pytest.mark.parametrize("address", CLOSED)
def test_who_is_not_signed_in_gets_nowhere(address: str, order: Order) -> None:
    before = state(order)
    for verb in ("get", "post"):
        answer = getattr(browser(None), verb)(filled_in(address, order))
        if address.startswith("/api/"):
            assert answer.status_code == 401
        else:
            assert answer.status_code in (302, 405)
            assert answer.status_code == 405 or answer["Location"].startswith("/account/login/?next=")
        assert told_of(order, answer.content.decode().replace(filled_in(address, order), "")) == []
    assert state(order) == before


@pytest.mark.parametrize("address", CLOSED)
def test_a_suspended_user_gets_nowhere_with_an_old_session_or_token(address: str, order: Order) -> None:
    user = MembershipFactory(customer=order.customer).user
    client, headers = browser(user), program(user)
    assert client.get(f"/orders/{order.reference}/").status_code == 200
    User.objects.filter(pk=user.pk).update(is_active=False)
    before = state(order)
    for verb in ("get", "post"):
        for answer in (
            getattr(client, verb)(filled_in(address, order)),
            getattr(Client(), verb)(filled_in(address, order), headers=headers),
        ):
            assert answer.status_code == 401 if address.startswith("/api/") else answer.status_code in (302, 405)
            assert told_of(order, answer.content.decode().replace(filled_in(address, order), "")) == []
    assert state(order) == before


@pytest.mark.parametrize("address", NAMED)
def test_what_is_not_yours_answers_as_what_is_not_there(address: str, order: Order) -> None:
    owner = MembershipFactory(customer=order.customer).user
    stranger = MembershipFactory(customer__name="Somebody else").user
    before, headers = state(order), program(stranger)
    for verb in ("get", *WRITES):
        answers = []
        for is_there in (True, False):
            path = filled_in(address, order, is_there=is_there)
            asked: dict[str, Any] = {"headers": headers} if address.startswith("/api/") else {}
            client = Client() if asked else browser(stranger)
            if asked and verb != "get":
                asked |= {"data": {}, "content_type": "application/json"}
            answer = getattr(client, verb)(path, **asked)
            assert answer.status_code in (403, 404, 405), (verb, path)
            text = re.sub(r'(?<=name="csrfmiddlewaretoken" value=")\w+', "", answer.content.decode())
            answers.append((answer.status_code, text.replace(path, "")))
        assert answers[0] == answers[1], (verb, address)
        assert told_of(order, answers[0][1]) == []
    assert state(order) == before
    assert owner.memberships.exists()


@pytest.mark.parametrize("address", CLOSED)
def test_a_stranger_finds_nothing_on_lists_either(address: str, order: Order) -> None:
    stranger = MembershipFactory(customer__name="Somebody else").user
    for answer in (
        browser(stranger).get(filled_in(address, order)),
        Client().get(filled_in(address, order), headers=program(stranger)),
    ):
        assert answer.status_code < 500
        text = answer.content.decode() if not answer.streaming else ""
        assert told_of(order, text.replace(filled_in(address, order), "")) == []


@pytest.mark.parametrize("address", CLOSED)
def test_a_read_only_member_changes_nothing(address: str, order: Order) -> None:
    MembershipFactory(customer=order.customer)
    onlooker = MembershipFactory(customer=order.customer, role=Role.READ_ONLY).user
    before = state(order)
    is_own = address in ("/profile/", "/confirm/", "/notifications/settings/")  # a person's own, whatever the role
    forms = {"role": "owner", "email": "x@example.org", "link": "new", "confirm": order.reference, "name": "Mine"}
    for verb in WRITES:
        by_browser = getattr(browser(onlooker), verb)(filled_in(address, order), forms if verb == "post" else None)
        asked = {"content_type": "application/json", "headers": program(onlooker)}
        by_program = getattr(Client(), verb)(filled_in(address, order), {}, **asked)
        for answer in (by_browser, by_program):
            refused = answer.status_code in (302, 403, 404, 405, 415, 422)
            assert refused or is_own, (verb, address, answer.status_code)
            if answer.status_code == 302 and not is_own:
                assert answer["Location"].startswith(("/account/login/", "/orders/new/")), (verb, address)
    assert state(order) == before


def test_a_read_only_member_does_look(order: Order) -> None:
    onlooker = MembershipFactory(customer=order.customer, role=Role.READ_ONLY).user
    invoice = order.invoices.get().number
    for path in (f"/orders/{order.reference}/", f"/customers/{order.customer.number}/", f"/invoices/{invoice}/pdf/"):
        assert browser(onlooker).get(path).status_code == 200
    headers = program(onlooker)
    for path in (f"/api/v1/orders/{order.reference}/", f"/api/v1/invoices/{invoice}/", "/api/v1/servers/"):
        assert Client().get(path, headers=headers).status_code == 200


def test_stored_files_have_no_address_of_their_own(order: Order) -> None:
    path = order.invoices.get().pdf.path
    user = MembershipFactory(customer=order.customer).user
    for client in (browser(None), browser(user)):
        for address in (f"/files/{path}", f"/media/{path}", f"/static/{path}", f"/static/../files/{path}"):
            assert client.get(address).status_code == 404
    assert not MonthlyReport.objects.exists()
