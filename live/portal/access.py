"""Who looks, what he or she may see, and what he or she may do."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from customers.choices import Ability
from customers.models import Customer, CustomerQuerySet, User
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


def own_order(request: HttpRequest, reference: str, ability: Ability = Ability.OPERATE) -> Order:
    """The order, if the viewer's role also includes `ability`."""
    order = visible_order(request, reference)
    if not viewer(request).may(ability, order.customer):
        raise PermissionDenied
    return order


def may_steer(user: User, customer: Customer) -> bool:
    """True for roles that operate orders; staff do so in the admin, where it is kept in the history."""
    return user.may(Ability.OPERATE, customer)


def customers_to_order_for(user: User) -> CustomerQuerySet:
    """The customers for which the user may prepare orders."""
    return Customer.objects.where_may(user, Ability.OPERATE).exclude(state=Customer.State.CLOSED)
