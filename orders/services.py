"""Services of orders. Each changes rows and announces it; workers then bring the outside in line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from core import clock
from core.errors import Refusal
from core.passwords import generate_secret
from core.references import new_reference
from customers.models import Customer, User
from orders.allowed_actions import OrderActionNotPossible
from orders.changes.services import is_staff
from orders.choices import OrderAction, State, Wanted
from orders.models import Order, OrderChange, OrderSecrets
from orders.notifications import notify_approved, notify_draft
from orders.part_reports import (
    Report,
    derive_now,
    lock_orders,
    locked_order,
    new_event,
    note_event,
    report,
    report_many,
)
from orders.terms import offered
from products.input_fields import clean_inputs_by
from products.models import Plan, Product, Release

__all__ = [
    "OrderActionNotPossible",
    "Report",
    "approve_order",
    "check_on_sale",
    "confirm_order",
    "create_order",
    "edit_order",
    "place_order",
    "remove_order",
    "report",
    "report_many",
    "resume_order",
    "retry_order",
    "reveal_secrets",
    "suspend_order",
]


# With four characters there are 280,000 references: this many taken ones in a row mean that they have run out.
REFERENCE_ATTEMPTS = 50


class NoReferenceLeft(Exception):
    """Every reference drawn belongs to an order already."""


class NotOnSale(Refusal):
    """The product or the plan can no longer be ordered."""

    code = "not_on_sale"


class CustomerClosed(Refusal):
    """Nothing can be ordered for this customer."""

    code = "customer_closed"


class AddressMissing(Refusal):
    """The customer has no address to send invoices to."""

    code = "address_missing"


class NameTaken(Refusal):
    """The customer already has an order of that name."""

    code = "name_taken"


@transaction.atomic
def create_order(
    *,
    customer: Customer,
    plan: Plan,
    name: str,
    inputs: Mapping[str, Any] | None = None,
    release: Release | None = None,
    sandbox: bool = False,
    provider_slug: str = "",
    actor: User | None = None,
) -> Order:
    """A draft whose rules hold and whose secrets exist; nothing outside has been created."""
    release = release or newest_release(plan.product)
    _check_orderable(customer, plan, release)
    _check_name_free(customer, name)
    order = Order(
        customer=customer,
        plan=plan,
        release=release,
        name=name,
        inputs=clean_inputs_by(release.inputs, inputs or {}, is_staff=is_staff(actor)),
        is_sandbox=sandbox,
        provider_slug=provider_slug,
        reason=gettext_noop("Draft: nothing has been created yet."),
    )
    _save_with_reference(order)
    values = {secret["key"]: generate_secret(secret) for secret in release.secrets}
    OrderSecrets.objects.create(order=order, values=values)
    note_event(order, actor, gettext_noop("Order created."), public=True)
    notify_draft(order, actor)
    return order


def check_on_sale(plan: Plan) -> None:
    """Nothing, if the plan can be ordered now; raises NotOnSale otherwise."""
    if plan.state != Plan.State.OFFERED or plan.product.state != Product.State.ON_SALE:
        raise NotOnSale(_("%(plan)s is no longer offered.") % {"plan": plan}, field="plan")


def newest_release(product: Product) -> Release:
    """The release that a new order gets."""
    release = product.newest_release
    if release is None:
        raise NotOnSale(_("%(product)s has no release yet.") % {"product": product}, field="plan")
    return release


@transaction.atomic
def edit_order(*, order: Order, name: str, inputs: Mapping[str, Any], actor: User | None = None) -> Order:
    """The draft has a new name and inputs."""
    order = locked_order(order, OrderAction.EDIT)
    if name != order.name:
        _check_name_free(order.customer, name)
    order.name = name
    order.inputs = clean_inputs_by(order.release.inputs, inputs, is_staff=is_staff(actor), present=order.inputs)
    _save_named(order, update_fields=("name", "inputs", "updated_at"))
    note_event(order, actor, gettext_noop("Draft changed."), public=True)
    return order


@transaction.atomic
def place_order(*, order: Order, actor: User | None = None) -> Order:
    """The order is placed, and approved at once where its plan says so."""
    order = locked_order(order, OrderAction.PLACE)
    _check_orderable(order.customer, order.plan, order.release)
    _check_billable(order)
    order.placed_at = clock.now()
    order.agree(offered(order.plan))
    events = [new_event(order, actor, gettext_noop("Order placed."), public=True)]
    if order.plan.auto_approve:
        order.approved_at = clock.now()
        events.append(new_event(order, None, gettext_noop("Approved automatically (plan setting)."), public=True))
    order.save(update_fields=("placed_at", "approved_at", *Order.AGREED_FIELDS))
    derive_now(order, events)
    return order


@transaction.atomic
def approve_order(*, order: Order, actor: User | None = None) -> Order:
    """The order is approved; provisioning starts."""
    order = locked_order(order, OrderAction.APPROVE)
    _check_open(order.customer)
    _check_billable(order)
    order.approved_at = clock.now()
    order.save(update_fields=("approved_at",))
    notify_approved(order)
    derive_now(order, [new_event(order, actor, gettext_noop("Approved."), public=True)])
    return order


@transaction.atomic
def suspend_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """The services are to be stopped, their data kept."""
    order = locked_order(order, OrderAction.SUSPEND)
    return _change_wanted(order, Wanted.SUSPENDED, actor, gettext_noop("Suspension requested."), why)


@transaction.atomic
def resume_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """A suspended order is to run again."""
    order = locked_order(order, OrderAction.RESUME)
    return _change_wanted(order, Wanted.RUNNING, actor, gettext_noop("Resumption requested."), why)


@transaction.atomic
def remove_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """Everything the order has outside is to be removed, whatever state it is in."""
    order = locked_order(order, OrderAction.REMOVE)
    return _change_wanted(order, Wanted.REMOVED, actor, gettext_noop("Removal requested."), why)


@transaction.atomic
def retry_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """What failed is retried; components that are there already are only confirmed."""
    order = locked_order(order, OrderAction.RETRY)
    return _change_wanted(order, Wanted(order.wanted), actor, gettext_noop("Retry requested."), why)


@transaction.atomic
def confirm_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """Every component of a running order is checked again, one after the other: something has moved under it."""
    (order,) = lock_orders([order.pk])
    if order.wanted == Wanted.RUNNING and order.approved_at is not None:
        _change_wanted(order, Wanted.RUNNING, actor, gettext_noop("Re-checking every component."), why)
    return order


@transaction.atomic
def reveal_secrets(*, order: Order, actor: User) -> dict[str, str]:
    """The order's secrets; who revealed them is on the timeline."""
    note_event(order, actor, gettext_noop("Secrets revealed."), public=False)
    return dict(order.secrets.values)


def _change_wanted(order: Order, wanted: Wanted, actor: User | None, message: str, why: str) -> Order:
    order.wanted = wanted
    order.wanted_version += 1
    order.save(update_fields=("wanted", "wanted_version"))
    if order.is_changing:
        OrderChange.objects.prepare_anew(order)
    derive_now(order, [new_event(order, actor, f"{message} {why}".strip(), public=True)])
    return order


def _check_orderable(customer: Customer, plan: Plan, release: Release) -> None:
    _check_open(customer)
    check_on_sale(plan)
    if release.product_id != plan.product_id:
        raise NotOnSale(_("That release belongs to another product."), field="release")


def _check_open(customer: Customer) -> None:
    if customer.state == Customer.State.CLOSED:
        raise CustomerClosed(
            _("%(customer)s is closed; nothing can be ordered.") % {"customer": customer}, field="customer"
        )


def _check_billable(order: Order) -> None:
    """An invoice needs the buyer's address: its country decides on VAT. Sandbox orders are never charged."""
    if not order.is_sandbox and order.customer.billing_address is None:
        message = _("%(customer)s has no address yet. Add one before the order is placed: invoices and VAT need it.")
        raise AddressMissing(message % {"customer": order.customer}, field="customer")


def _check_name_free(customer: Customer, name: str, *, besides: int | None = None) -> None:
    if not name.strip():
        raise Refusal(_("Give the order a name."), field="name")
    if Order.objects.filter(customer=customer, name=name).exclude(Q(state=State.REMOVED) | Q(pk=besides)).exists():
        raise NameTaken(_("This customer already has an order of that name."), field="name")


def _save_with_reference(order: Order) -> None:
    """The order is stored under a reference that no other order has."""
    for _attempt in range(REFERENCE_ATTEMPTS):
        order.reference = new_reference("GL")
        if not Order.objects.filter(reference=order.reference).exists():
            return _save_named(order)
    raise NoReferenceLeft(f"{REFERENCE_ATTEMPTS} references in a row were taken: make them longer")


def _save_named(order: Order, **options: Any) -> None:
    """The order is stored under its name, or refused because another order took that name in the meantime."""
    try:
        with transaction.atomic():
            order.save(**options)
    except IntegrityError:
        # Which constraint was broken is not said alike by all databases: ask whether it was the name.
        _check_name_free(order.customer, order.name, besides=order.pk)
        raise
