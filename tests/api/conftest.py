"""Callers with tokens, and an order to call about."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import Permission
from django.core.cache import cache
from rest_framework.test import APIClient

from customers.models import ApiToken, Customer, Membership, User
from orders.models import Order
from tests.factories import CustomerFactory, MembershipFactory, UserFactory, make_draft

Caller = Callable[[User], APIClient]


@pytest.fixture(autouse=True)
def _fresh_throttles() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def calling() -> Caller:
    """A program that calls with a token of the user's."""

    def make(user: User) -> APIClient:
        _, token = ApiToken.objects.create(user=user, name="a program")
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return client

    return make


def make_staff(*permissions: str) -> User:
    """A member of staff who holds `permissions`, written `app.codename`."""
    user: User = UserFactory(is_staff=True)
    for name in permissions:
        app, codename = name.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


@pytest.fixture
def customer(db: None) -> Customer:
    """A customer with an owner, a viewer and nothing else."""
    row: Customer = CustomerFactory(name="Waterschap Vallei")
    return row


@pytest.fixture
def owner(customer: Customer, calling: Caller) -> APIClient:
    """The customer's owner."""
    return calling(MembershipFactory(customer=customer).user)


@pytest.fixture
def viewer(customer: Customer, calling: Caller) -> APIClient:
    """Someone at the customer who may only look."""
    return calling(MembershipFactory(customer=customer, role=Membership.Role.VIEWER).user)


@pytest.fixture
def stranger(db: None, calling: Caller) -> APIClient:
    """The owner of another customer."""
    return calling(MembershipFactory(customer__name="Somebody else").user)


@pytest.fixture
def operator(db: None, calling: Caller) -> APIClient:
    """Staff who may do everything with orders."""
    others = ("customers.view_customer", "products.view_product")
    names = ("view_order", "view_orderevent", "add_order", "approve_order", "steer_order", "remove_order")
    return calling(make_staff(*(f"orders.{name}" for name in names), *others))


@pytest.fixture
def draft(customer: Customer) -> Order:
    """The customer's draft."""
    return make_draft(customer=customer, name="maps of the valley")
