"""No address of the admin opens for whom it is not meant; a new address is covered by being there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver

from customers.models import User
from orders.models import Order
from tests.factories import MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db

# What any member of staff may open: the front page, one's own password, words for scripts, an empty search.
FOR_ALL_STAFF = {"", "jsi18n/", "login/", "logout/", "password_change/", "password_change/done/", "search/"}


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every address of the admin, made by `filled_in`; what only catches the rest is left out."""
    for pattern in patterns:
        here = before + str(pattern.pattern).lstrip("^").rstrip("$")
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, here)
        elif not here.startswith("(?P<url>"):
            yield filled_in(here)


def filled_in(address: str) -> str:
    """The address with `{pk}` for each `<converter:name>`, and the first of each `(?P<name>one|other)`."""
    return re.sub(r"<[^>]*>", "{pk}", re.sub(r"\(\?P<\w+>(\w+)[^)]*\)", r"\1", address))


ADDRESSES = sorted(set(addresses(admin.site.get_urls())))


def opened(user: User | None, order: Order) -> set[str]:
    """The addresses that showed something, looked at or posted to; the order is as it was."""
    found = set()
    for address in ADDRESSES:
        client = Client()
        if user is not None:
            client.force_login(user)
        for ask in (client.get, client.post):
            answer = ask("/admin/" + address.format(pk=order.pk))
            assert answer.status_code < 500, address
            if answer.status_code == 200:
                found.add(address)
    order.refresh_from_db()
    assert (order.state, order.events.count()) == ("draft", 1)
    return found


@pytest.fixture
def order() -> Order:
    return make_draft(name="Secret maps")


def test_there_are_addresses_to_walk() -> None:
    assert {"orders/order/", "orders/order/add/", "orders/order/{pk}/secrets/"} <= set(ADDRESSES)
    assert len(ADDRESSES) > 100


def test_who_is_not_signed_in_opens_nothing(order: Order) -> None:
    assert opened(None, order) == set()


def test_customers_people_open_nothing(order: Order) -> None:
    assert opened(MembershipFactory(customer=order.customer).user, order) == set()


def test_staff_without_a_role_open_only_what_is_for_all(order: Order) -> None:
    assert opened(UserFactory(is_staff=True), order) == FOR_ALL_STAFF
