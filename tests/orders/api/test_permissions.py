"""Who may ask what of an order over the API: the rules by themselves."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser

from customers.choices import Role
from customers.models import User
from orders.api.permissions import (
    MayApprove,
    MayRemove,
    MaySteer,
    StaffOnly,
    is_staff_with,
    may_order_for,
    may_prepare_for,
)
from orders.models import Order
from tests.api.conftest import make_staff
from tests.factories import MembershipFactory, UserFactory, make_draft

pytestmark = pytest.mark.django_db
PERMISSIONS = {MayApprove: "approve_order", MaySteer: "steer_order", MayRemove: "remove_order"}


@pytest.fixture
def order() -> Order:
    """An order that people ask about."""
    return make_draft()


def member(order: Order, role: Role = Role.OWNER) -> User:
    """Someone at the customer of the order."""
    user: User = MembershipFactory.create(customer=order.customer, role=role).user
    return user


def lets(permission: type[StaffOnly], user: object, order: Order) -> bool:
    """True when the permission lets the caller through to the order."""
    request = SimpleNamespace(user=user)
    return permission().has_object_permission(request, view=None, obj=order)  # type: ignore[arg-type]


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_staff_are_let_through_by_their_permission_alone(permission: type[StaffOnly], order: Order) -> None:
    others = [f"orders.{name}" for name in PERMISSIONS.values() if name != PERMISSIONS[permission]]
    assert lets(permission, make_staff(f"orders.{PERMISSIONS[permission]}"), order)
    assert not lets(permission, make_staff("orders.view_order", *others), order)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_a_permission_without_being_staff_is_worth_nothing(permission: type[StaffOnly], order: Order) -> None:
    user = make_staff(f"orders.{PERMISSIONS[permission]}")
    user.is_staff = False
    user.save()
    assert not lets(permission, user, order)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_nobody_in_particular_is_let_through_nowhere(permission: type[StaffOnly], order: Order) -> None:
    assert not lets(permission, AnonymousUser(), order)
    assert not lets(permission, UserFactory.create(), order)


def test_owners_remove_and_leave_the_rest_to_staff(order: Order) -> None:
    owner, viewer = member(order), member(order, Role.READ_ONLY)
    assert {permission for permission in PERMISSIONS if lets(permission, owner, order)} == {MayRemove}
    assert not any(lets(permission, viewer, order) for permission in PERMISSIONS)


def test_the_owner_of_another_customer_owns_nothing_here(order: Order) -> None:
    other = MembershipFactory.create().user
    assert not may_prepare_for(other, order.customer)
    assert not may_order_for(other, order.customer)
    assert not lets(MayRemove, other, order)


def test_a_membership_gives_staff_nothing(order: Order) -> None:
    clerk = UserFactory.create(is_staff=True)
    MembershipFactory.create(user=clerk, customer=order.customer)
    assert not may_prepare_for(clerk, order.customer)
    assert not may_order_for(clerk, order.customer)
    assert not lets(MayRemove, clerk, order)


def test_owners_and_staff_who_add_orders_may_order(order: Order) -> None:
    assert may_order_for(member(order), order.customer)
    assert may_order_for(make_staff("orders.add_order"), order.customer)
    assert not may_order_for(member(order, Role.READ_ONLY), order.customer)
    assert not may_order_for(make_staff("orders.view_order"), order.customer)


def test_a_superuser_who_is_staff_has_every_permission(order: Order) -> None:
    administrator = UserFactory.create(is_staff=True, is_superuser=True)
    assert all(lets(permission, administrator, order) for permission in PERMISSIONS)
    assert is_staff_with(administrator, "orders.add_order")
