"""What may be asked of an order. Each verb changes rows and announces it; the world follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from core.references import new_password, new_reference
from customers.models import Customer, User
from orders.choices import State, Wanted
from orders.models import Order, OrderEvent, OrderSecrets
from orders.part_reports import Report, announce, derive, lock_orders, report, report_many
from orders.terms import offered
from products.input_fields import clean_inputs
from products.models import Plan, Product, Release

__all__ = [
    "NotPossible",
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


class NotPossible(Refusal):
    """The order is not in a state that allows this."""

    code = "not_possible"


class NotOnSale(Refusal):
    """The product or the plan cannot be ordered any more."""

    code = "not_on_sale"


class CustomerClosed(Refusal):
    """Nothing can be ordered for this customer."""

    code = "customer_closed"


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
    """A draft: its rules hold, its secrets exist, and nothing outside has been touched."""
    release = release or newest_release(plan.product)
    _check_orderable(customer, plan, release)
    _check_name_free(customer, name)
    order = Order(
        customer=customer,
        plan=plan,
        release=release,
        name=name,
        inputs=clean_inputs(release.inputs, inputs or {}),
        is_sandbox=sandbox,
        provider_slug=provider_slug,
        reason=_("Draft: nothing has been created yet."),
    )
    _save_with_reference(order)
    values = {secret["key"]: new_password(secret.get("length", 24)) for secret in release.secrets}
    OrderSecrets.objects.create(order=order, values=values)
    _note(order, actor, _("Order created."), public=True)
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
    order = _held(order)
    if order.state != State.DRAFT:
        raise NotPossible(_("Only a draft can be edited."))
    if name != order.name:
        _check_name_free(order.customer, name)
    order.name, order.inputs = name, clean_inputs(order.release.inputs, inputs)
    _save_named(order, update_fields=("name", "inputs", "updated_at"))
    _note(order, actor, _("Draft changed."), public=True)
    return order


@transaction.atomic
def place_order(*, order: Order, actor: User | None = None) -> Order:
    """The order is placed; a plan that approves by itself sets it going at once."""
    order = _held(order)
    if order.state != State.DRAFT:
        raise NotPossible(_("This order has been placed already."))
    _check_orderable(order.customer, order.plan, order.release)
    order.placed_at = clock.now()
    order.agree(offered(order.plan))
    order.save(update_fields=("placed_at", *Order.AGREED_FIELDS))
    _note(order, actor, _("Order placed."), public=True)
    if order.plan.auto_approve:
        _approve(order, None, _("Approved by the plan's own rule."))
    _derive_now(order)
    return order


@transaction.atomic
def approve_order(*, order: Order, actor: User | None = None) -> Order:
    """The order may be provisioned, and will be."""
    order = _held(order)
    if order.state != State.PENDING:
        raise NotPossible(_("Only an order that waits for approval can be approved."))
    if order.customer.state == Customer.State.CLOSED:
        raise CustomerClosed(_("%(customer)s is closed; nothing can be ordered.") % {"customer": order.customer})
    _approve(order, actor, _("Approved."))
    _derive_now(order)
    return order


@transaction.atomic
def suspend_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """The composition is wanted stopped, its data kept."""
    order = _held(order)
    running = (State.ACTIVE, State.DEGRADED, State.PROVISIONING, State.ATTENTION)
    if order.wanted != Wanted.RUNNING or order.state not in running:
        raise NotPossible(_("Only a running order can be suspended."))
    return _change_mind(order, Wanted.SUSPENDED, actor, _("Suspension asked for."), why)


@transaction.atomic
def resume_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """A suspended order is wanted running again."""
    order = _held(order)
    if order.wanted != Wanted.SUSPENDED:
        raise NotPossible(_("Only a suspended order can be resumed."))
    return _change_mind(order, Wanted.RUNNING, actor, _("Resumption asked for."), why)


@transaction.atomic
def remove_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """Everything the order has outside is wanted gone, whatever stage it is in."""
    order = _held(order)
    if order.wanted == Wanted.REMOVED:
        raise NotPossible(_("This order is being removed already, or is gone."))
    return _change_mind(order, Wanted.REMOVED, actor, _("Removal asked for."), why)


@transaction.atomic
def retry_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """What failed is tried again from where it stands; what is there already is only confirmed."""
    order = _held(order)
    if not order.needs_attention or order.state == State.PENDING:
        raise NotPossible(_("Nothing of this order waits for another try."))
    return _change_mind(order, Wanted(order.wanted), actor, _("Another try asked for."), why)


@transaction.atomic
def confirm_order(*, order: Order, actor: User | None = None, why: str = "") -> Order:
    """Something has moved under a running order: its parts are looked at again, one after the other."""
    order = _held(order)
    if order.wanted == Wanted.RUNNING and order.approved_at is not None:
        _change_mind(order, Wanted.RUNNING, actor, _("Every part is looked at again."), why)
    return order


@transaction.atomic
def reveal_secrets(*, order: Order, actor: User) -> dict[str, str]:
    """The order's secrets; who asked is on the timeline."""
    _note(order, actor, _("Secrets shown."), public=False)
    return dict(order.secrets.values)


def _change_mind(order: Order, wanted: Wanted, actor: User | None, words: str, why: str) -> Order:
    order.wanted = wanted
    order.wanted_version += 1
    order.save(update_fields=("wanted", "wanted_version"))
    _note(order, actor, f"{words} {why}".strip(), public=True)
    _derive_now(order)
    return order


def _approve(order: Order, actor: User | None, words: str) -> None:
    order.approved_at = clock.now()
    order.save(update_fields=("approved_at",))
    _note(order, actor, words, public=True)


def _derive_now(order: Order) -> None:
    derive([order], order.parts.all(), [])
    announce([order.pk])


def _held(order: Order) -> Order:
    (held,) = lock_orders([order.pk])
    return held


def _note(order: Order, actor: User | None, message: str, *, public: bool) -> None:
    OrderEvent.objects.create(order=order, at=clock.now(), actor=actor, message=message, is_public=public)


def _check_orderable(customer: Customer, plan: Plan, release: Release) -> None:
    if customer.state == Customer.State.CLOSED:
        raise CustomerClosed(
            _("%(customer)s is closed; nothing can be ordered.") % {"customer": customer}, field="customer"
        )
    check_on_sale(plan)
    if release.product_id != plan.product_id:
        raise NotOnSale(_("That release belongs to another product."), field="release")


def _check_name_free(customer: Customer, name: str) -> None:
    if not name.strip():
        raise Refusal(_("Give the order a name."), field="name")
    if Order.objects.filter(customer=customer, name=name).exclude(state=State.REMOVED).exists():
        raise NameTaken(_("This customer already has an order of that name."), field="name")


def _save_with_reference(order: Order) -> None:
    """The order is stored under a reference that nobody else has."""
    while True:
        order.reference = new_reference("GL")
        if not Order.objects.filter(reference=order.reference).exists():
            break
    _save_named(order)


def _save_named(order: Order, **options: Any) -> None:
    """The order is stored under its name, or refused because somebody else was quicker to take that name."""
    try:
        with transaction.atomic():
            order.save(**options)
    except IntegrityError as error:  # the name was taken between the look and the save
        raise NameTaken(_("This customer already has an order of that name."), field="name") from error
