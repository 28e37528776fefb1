"""A customer with an owner and a viewer, and a stranger."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.test import Client

from customers.models import Customer, Membership, User
from tests.factories import CustomerFactory, MembershipFactory, UserFactory

SignIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _no_rate_limit_left_over() -> None:
    """Every test starts with an empty cache: allauth counts tries there."""
    cache.clear()


@pytest.fixture
def customer() -> Customer:
    return CustomerFactory(name="Waterschap Vallei")


@pytest.fixture
def owner(customer: Customer) -> User:
    user: User = UserFactory(username="olga", first_name="Olga")
    user.set_unusable_password()
    user.save()
    MembershipFactory(user=user, customer=customer)
    return user


@pytest.fixture
def onlooker(customer: Customer) -> User:
    """One who may look, and no more."""
    user: User = UserFactory(username="vera")
    MembershipFactory(user=user, customer=customer, role=Membership.Role.READ_ONLY)
    return user


@pytest.fixture
def stranger() -> User:
    """The owner of another customer."""
    user: User = UserFactory(username="stan")
    MembershipFactory(user=user)
    return user


@pytest.fixture
def sign_in() -> SignIn:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
