"""Nobody reaches what is not theirs, at any address; a new address is covered by being there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from customers.models import Customer, User
from live.accounts import pages
from live.portal import urls
from orders.models import Order
from tests.factories import make_draft
from tests.portal.conftest import SignIn
from tests.portal.test_invoices import make_file, make_invoice

pytestmark = pytest.mark.django_db

# What an address may ask for, and the value that names something of somebody else's.
WANTS_A_PRODUCT = {"choose_plan", "draft_order"}


def patterns(
    rows: Sequence[URLPattern | URLResolver] = (*urls.urlpatterns, *pages.urlpatterns),
) -> Iterator[URLPattern]:
    for row in rows:
        if isinstance(row, URLResolver):
            yield from patterns(row.url_patterns)
        else:
            yield row


def address(pattern: URLPattern, order: Order) -> str:
    values = {
        "reference": order.reference,
        "number": "2026-00001" if pattern.name == "invoice_pdf" else order.customer.number,
        "product": order.plan.product.slug,
        "plan": order.plan.slug,
        "month": date(2026, 6, 1),
        "key": "nothing",
        "pk": 1,
        "member": 1,
        "invitation": 1,
        "endpoint": "wms",
    }
    wanted = pattern.pattern.converters
    return reverse(f"portal:{pattern.name}", kwargs={name: values[name] for name in wanted})


@pytest.mark.parametrize("pattern", list(patterns()), ids=lambda pattern: pattern.name)
def test_who_is_not_signed_in_is_asked_to(pattern: URLPattern, customer: Customer) -> None:
    order = make_draft(customer=customer)
    url = address(pattern, order)
    for response in (Client().get(url), Client().post(url)):
        assert response.status_code in (302, 405)
        assert response.status_code == 405 or response["Location"].startswith("/account/login/?next=")


@pytest.mark.parametrize("pattern", list(patterns()), ids=lambda pattern: pattern.name)
def test_a_stranger_sees_nothing_of_another_customer(
    pattern: URLPattern, customer: Customer, stranger: User, sign_in: SignIn
) -> None:
    order = make_draft(customer=customer, name="Secret maps")
    make_file(make_invoice(order, "2026-00001"))
    client = sign_in(stranger)
    names_something = pattern.pattern.converters and pattern.name not in WANTS_A_PRODUCT
    for response in (client.get(address(pattern, order)), client.post(address(pattern, order))):
        if names_something:
            assert response.status_code in (404, 405)
        assert b"Secret maps" not in response.content
        assert customer.name.encode() not in response.content
        assert order.reference.encode() not in response.content
    order.refresh_from_db()
    assert (order.state, order.events.count()) == ("draft", 1)


def test_who_may_only_look_changes_nothing(customer: Customer, onlooker: User, sign_in: SignIn) -> None:
    order = make_draft(customer=customer)
    client = sign_in(onlooker)
    assert client.get(f"/orders/{order.reference}/").status_code == 200
    for action in ("placing", "removal", "removal/withdrawal", "suspension", "resumption", "secrets", "draft"):
        assert client.post(f"/orders/{order.reference}/{action}/").status_code == 403
    order.refresh_from_db()
    assert (order.state, order.events.count()) == ("draft", 1)


def test_every_page_forbids_inline_scripts_and_frames(owner: User, sign_in: SignIn) -> None:
    policy = sign_in(owner).get("/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
