"""What the WHMCS module may ask of a service: each call is harmless when it is repeated, and returns at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import enqueue_rows
from core.errors import Refusal, TransientError
from customers.models import User
from customers.whmcs.services import customer_of_client, is_configured
from orders.changes.services import change_plan
from orders.choices import OrderAction, State, Wanted
from orders.models import Order, OrderEvent, WhmcsService
from orders.services import (
    approve_order,
    create_order,
    place_order,
    remove_order,
    resume_order,
    suspend_order,
)
from products.models import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAddress:
    """Where a service is reached."""

    domain: str = ""
    ip: str = ""


_find_address: Callable[[Order], ServiceAddress] = lambda order: ServiceAddress()  # noqa: E731


def register_address(find: Callable[[Order], ServiceAddress]) -> None:
    """`find` says where an order is reached: the room of the servers knows."""
    global _find_address
    _find_address = find


def address_of(order: Order) -> ServiceAddress:
    """Where the order is reached; empty until it is, and once it has been removed."""
    return ServiceAddress() if order.state == State.REMOVED else _find_address(order)


def open_service(*, service_id: int, client: Mapping[str, Any], plan: Plan, actor: User, **order: Any) -> WhmcsService:
    """The service is an order, approved because WHMCS has accepted it; asking again gives the same order."""
    if (row := find_service(service_id)) is not None:
        return row
    try:
        with transaction.atomic():
            return _open(service_id=service_id, client=client, plan=plan, actor=actor, **order)
    except (IntegrityError, Refusal, TransientError):
        # The same call at the same moment: whichever came first has made the order.
        if (row := find_service(service_id)) is not None:
            return row
        raise


def find_service(service_id: int) -> WhmcsService | None:
    """The row of a service of WHMCS."""
    return WhmcsService.objects.select_related("order").filter(service_id=service_id).first()


@transaction.atomic
def suspend_service(*, service: WhmcsService, actor: User, why: str = "") -> None:
    """The order is to be stopped; one that is already is left alone."""
    if service.order.wanted != Wanted.SUSPENDED:
        suspend_order(order=service.order, actor=actor, why=why)


@transaction.atomic
def resume_service(*, service: WhmcsService, actor: User, why: str = "") -> None:
    """The order is to run; one that is already is left alone."""
    if service.order.wanted != Wanted.RUNNING:
        resume_order(order=service.order, actor=actor, why=why)


@transaction.atomic
def close_service(*, service: WhmcsService, actor: User, why: str = "") -> None:
    """The order is to be removed; one that is already is left alone."""
    if service.order.allows(OrderAction.REMOVE):
        remove_order(order=service.order, actor=actor, why=why)


@transaction.atomic
def change_service(*, service: WhmcsService, plan: Plan, actor: User) -> None:
    """The order is to have the plan; one that has it already is left alone."""
    if service.order.plan_id != plan.pk:
        change_plan(order=service.order, plan=plan, actor=actor, why=_("Changed in WHMCS."))


def note_on_services(service_ids: list[int], message: str) -> int:
    """The message is on the timeline of each service's order, for staff; returns how many."""
    orders = list(WhmcsService.objects.filter(service_id__in=service_ids).values_list("order", flat=True))
    now = clock.now()
    OrderEvent.objects.bulk_create(
        OrderEvent(order_id=order, at=now, message=message, is_public=False) for order in orders
    )
    return len(orders)


def reconcile_all() -> None:
    """Every service whose order is in another state than WHMCS was sent is due."""
    _reconcile(WhmcsService.objects.all())


def reconcile_orders(pks: tuple[int, ...]) -> None:
    """The same for these orders."""
    _reconcile(WhmcsService.objects.filter(order__in=pks))


def _reconcile(rows: Any) -> None:
    if is_configured():
        _note_states(rows)


@transaction.atomic
def _note_states(rows: Any) -> None:
    moved = dict(rows.exclude(noted_state=F("order__state")).values_list("pk", "order__state"))
    for state in set(moved.values()):
        WhmcsService.objects.filter(pk__in=[pk for pk in moved if moved[pk] == state]).update(
            noted_state=state,
            wanted_version=F("wanted_version") + 1,
            next_attempt_at=clock.now(),
            attempts=0,
            last_error="",
        )
    if moved:
        enqueue_rows("whmcs service", list(moved))


def _open(*, service_id: int, client: Mapping[str, Any], plan: Plan, actor: User, **order: Any) -> WhmcsService:
    customer = customer_of_client(client)
    made = create_order(
        customer=customer,
        plan=plan,
        name=order.pop("name", "") or _("WHMCS service %(id)s") % {"id": service_id},
        actor=actor,
        **order,
    )
    row = WhmcsService.objects.create(
        order=made, service_id=service_id, client_id=int(customer.external_ids.get(system="whmcs").value)
    )
    made = place_order(order=made, actor=actor)
    if made.allows(OrderAction.APPROVE):
        approve_order(order=made, actor=actor)
    return row
