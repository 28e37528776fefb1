"""An order in every situation that its life can reach, made by services and reports alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orders.changes.services import upgrade_order
from orders.choices import Part, PartState
from orders.models import Order
from orders.services import place_order, remove_order, report, suspend_order
from tests.factories import ReleaseFactory, make_draft

ESSENTIAL = (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS)


def fresh(order: Order) -> Order:
    """The row as it is stored now."""
    return Order.objects.get(pk=order.pk)


def pending(**fields: Any) -> Order:
    """Placed; its plan wants an approval."""
    return place_order(order=make_draft(**fields))


def provisioning(**fields: Any) -> Order:
    """Approved; no component has reported."""
    plan = {} if "plan" in fields else {"plan_fields": {"auto_approve": True}}
    return place_order(order=make_draft(**plan, **fields))


def active(**fields: Any) -> Order:
    """Everything that an active order needs is ready."""
    order = provisioning(**fields)
    for part in ESSENTIAL:
        report(order.pk, part, PartState.READY, "there", version=order.wanted_version)
    return fresh(order)


def changing() -> Order:
    """Being upgraded; no component has reported about it."""
    order = active()
    return upgrade_order(order=order, release=ReleaseFactory(product=order.release.product))


def degraded() -> Order:
    """Was active; its endpoints no longer answer."""
    order = active()
    report(order.pk, Part.ENDPOINTS, PartState.DOWN, "WMS is down.", version=order.wanted_version)
    return fresh(order)


def failed() -> Order:
    """Its server was refused for good."""
    order = provisioning()
    report(order.pk, Part.SERVER, PartState.FAILED, "quota exceeded", version=order.wanted_version)
    return fresh(order)


def suspending() -> Order:
    """Wanted suspended; its services still run."""
    return suspend_order(order=active())


def suspended() -> Order:
    """Its services have stopped."""
    order = suspending()
    report(order.pk, Part.COMPOSITION, PartState.SUSPENDED, version=order.wanted_version)
    return fresh(order)


def removing() -> Order:
    """Wanted removed; its components are still there."""
    return remove_order(order=active())


def removal_failed() -> Order:
    """Wanted removed; its server could not be destroyed."""
    order = removing()
    report(order.pk, Part.SERVER, PartState.FAILED, "locked by the provider", version=order.wanted_version)
    return fresh(order)


def removed() -> Order:
    """Nothing of it is left outside."""
    order = removing()
    for part in order.parts.all():
        report(order.pk, Part(part.part), PartState.REMOVED, version=order.wanted_version)
    return fresh(order)


SITUATIONS: Mapping[str, Callable[[], Order]] = {
    "draft": make_draft,
    "pending": pending,
    "provisioning": provisioning,
    "active": active,
    "changing": changing,
    "degraded": degraded,
    "failed": failed,
    "suspending": suspending,
    "suspended": suspended,
    "removing": removing,
    "removal failed": removal_failed,
    "removed": removed,
}
