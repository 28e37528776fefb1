"""Who may ask what of an order: staff by permission, a customer's members by role."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from customers.choices import Ability
from customers.models import Customer, User
from orders.choices import State
from orders.models import Order


def is_staff_with(user: User, permission: str) -> bool:
    """True for staff who hold `permission`."""
    return bool(user.is_staff and user.has_perm(permission))


def may_prepare_for(user: User, customer: Customer) -> bool:
    """True for members who prepare drafts for the customer, and for staff who may add orders."""
    return is_staff_with(user, "orders.add_order") or user.may(Ability.OPERATE, customer)


def may_order_for(user: User, customer: Customer) -> bool:
    """True for members who place the customer's orders, and for staff who may add orders."""
    return is_staff_with(user, "orders.add_order") or user.may(Ability.ORDER, customer)


class StaffOnly(IsAuthenticated):
    """Staff who hold `permission`; the order must be visible first, or it does not exist."""

    permission: ClassVar[str]

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for staff who hold the permission."""
        return isinstance(request.user, User) and is_staff_with(request.user, self.permission)


class MayApprove(StaffOnly):
    """Staff who approve orders."""

    permission = "orders.approve_order"


class MaySteer(StaffOnly):
    """Staff who suspend, resume and retry orders."""

    permission = "orders.steer_order"


class MayRemove(StaffOnly):
    """Staff who remove orders, and the members who may cancel what is removed."""

    permission = "orders.remove_order"

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for staff who hold the permission, and for members who may cancel the order."""
        staff = super().has_object_permission(request, view, obj)
        needed = Ability.OPERATE if obj.state == State.DRAFT else Ability.ORDER
        return staff or (isinstance(request.user, User) and request.user.may(needed, obj.customer))


class MayPrepare(StaffOnly):
    """Staff who add orders, and the members who prepare drafts."""

    permission = "orders.add_order"

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for whoever may prepare drafts for the order's customer."""
        return isinstance(request.user, User) and may_prepare_for(request.user, obj.customer)


class MayPlace(StaffOnly):
    """Staff who add orders, and the members who place them."""

    permission = "orders.add_order"

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for whoever may place orders of the order's customer."""
        return isinstance(request.user, User) and may_order_for(request.user, obj.customer)


class MayChange(StaffOnly):
    """Staff who steer orders, and the members who operate them."""

    permission = "orders.steer_order"
    ability: ClassVar[Ability] = Ability.OPERATE

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for staff who hold the permission, and for members with the ability."""
        staff = super().has_object_permission(request, view, obj)
        return staff or (isinstance(request.user, User) and request.user.may(self.ability, obj.customer))


class MayChangePlan(MayChange):
    """Staff who steer orders, and the members who place them: a plan has a price."""

    ability = Ability.ORDER
