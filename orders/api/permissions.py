"""Who may ask what of an order: staff by permission, a customer's owner for its own."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from customers.models import Customer, Membership, User
from orders.models import Order


def is_staff_with(user: User, permission: str) -> bool:
    """True for staff who hold `permission`."""
    return bool(user.is_staff and user.has_perm(permission))


def owns(user: User, customer: Customer) -> bool:
    """True for an owner of the customer; never for staff, whose rights are permissions."""
    return not user.is_staff and user.memberships.filter(customer=customer, role=Membership.Role.OWNER).exists()


def may_order_for(user: User, customer: Customer) -> bool:
    """True for the customer's owners, and for staff who may add orders."""
    return is_staff_with(user, "orders.add_order") or owns(user, customer)


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
    """Staff who remove orders, and the owners of what is removed."""

    permission = "orders.remove_order"

    def has_object_permission(self, request: Request, view: Any, obj: Order) -> bool:
        """True for staff who hold the permission, and for the customer's owners."""
        staff = super().has_object_permission(request, view, obj)
        return staff or (isinstance(request.user, User) and owns(request.user, obj.customer))
