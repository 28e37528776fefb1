"""Who looks, what he or she may see, and what he or she may do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from customers.models import Customer, CustomerQuerySet, Membership, User
from orders.models import Order


def viewer(request: HttpRequest) -> User:
    """The one who is signed in; views ask only behind `login_required`."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def wants_piece(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of a page instead of a page."""
    return bool(getattr(request, "htmx", False))


def visible_order(request: HttpRequest, reference: str) -> Order:
    """The order, if the viewer may see it; else there is no such page."""
    return get_object_or_404(Order.objects.visible_to(viewer(request)).with_names(), reference=reference)


def own_order(request: HttpRequest, reference: str) -> Order:
    """The order, if the viewer may also steer it."""
    order = visible_order(request, reference)
    if not may_steer(viewer(request), order.customer):
        raise PermissionDenied
    return order


def may_steer(user: User, customer: Customer) -> bool:
    """True of a customer's owners; staff steer in the admin, where it is kept in the history."""
    owned = Membership.objects.filter(user=user, customer=customer, role=Membership.Role.OWNER)
    return not user.is_staff and owned.exists()


def customers_to_order_for(user: User) -> CustomerQuerySet:
    """The customers in whose name the user may order."""
    own = Membership.objects.filter(user=user, user__is_staff=False, role=Membership.Role.OWNER).values("customer")
    return Customer.objects.filter(pk__in=own).exclude(state=Customer.State.CLOSED)
