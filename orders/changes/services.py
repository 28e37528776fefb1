"""What may be asked of a running order: another release, plan, settings or secrets, and the way back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from core import clock
from core.errors import Refusal
from core.passwords import generate_secret
from customers.models import User
from orders.allowed_actions import OrderActionNotPossible
from orders.choices import ChangeKind, ChangeState, OrderAction
from orders.derived.change_outcomes import CHANGED_FIELDS, revert_change
from orders.models import Order, OrderChange, OrderEvent
from orders.models.change import preparation_deadline
from orders.part_reports import announce, derive, derive_now, lock_orders, locked_order, note_event
from orders.terms import offered
from products.input_fields import clean_inputs_by, customer_inputs
from products.models import Plan, Release


class OrderUnchanged(Refusal):
    """The order is so already."""

    code = "nothing_to_change"


@transaction.atomic
def upgrade_order(
    *,
    order: Order,
    release: Release,
    inputs: Mapping[str, Any] | None = None,
    actor: User | None = None,
    why: str = "",
) -> Order:
    """The order is wanted on `release`; `inputs` answers what the new release asks in addition.

    If the new composition does not pass its checks in time, the order goes back by itself.
    """
    order = locked_order(order, OrderAction.UPGRADE)
    return _change_release(order, ChangeKind.UPGRADE, release, inputs or {}, actor, why)


@transaction.atomic
def roll_back_order(*, order: Order, release: Release | None = None, actor: User | None = None, why: str = "") -> Order:
    """The order is wanted on an earlier release: `release`, or the former one. A change in progress goes back."""
    order = locked_order(order, OrderAction.ROLL_BACK)
    if order.is_changing:
        return _stop_change(order, actor, why)
    release = release or former_release(order)
    if release is None:
        raise OrderActionNotPossible(_("This order has had no other release."), field="release")
    return _change_release(order, ChangeKind.ROLLBACK, release, {}, actor, why)


@transaction.atomic
def change_plan(*, order: Order, plan: Plan, actor: User | None = None, why: str = "") -> Order:
    """The order is wanted in the size of `plan`, on the terms that it offers now."""
    order = locked_order(order, OrderAction.CHANGE_PLAN)
    check_plan(order, plan)
    change = _begun(order, ChangeKind.PLAN, actor, why)
    order.plan = change.to_plan = plan
    order.agree(offered(plan))
    return _request(change, order, actor)


@transaction.atomic
def change_inputs(*, order: Order, inputs: Mapping[str, Any], actor: User | None = None, why: str = "") -> Order:
    """The order is wanted with these inputs; its services are restarted with them."""
    order = locked_order(order, OrderAction.CHANGE_INPUTS)
    cleaned = clean_inputs_by(order.release.inputs, inputs, is_staff=is_staff(actor), present=order.inputs)
    if cleaned == order.inputs:
        raise OrderUnchanged(_("These are the present settings already."))
    change = _begun(order, ChangeKind.INPUTS, actor, why)
    order.inputs = change.to_inputs = cleaned
    return _request(change, order, actor)


@transaction.atomic
def rotate_secrets(*, order: Order, keys: Collection[str] = (), actor: User | None = None, why: str = "") -> Order:
    """The secrets named by `keys`, or all that may be rotated, have new values; the services are restarted."""
    order = locked_order(order, OrderAction.ROTATE_SECRETS)
    specs = rotatable_secrets(order.release)
    chosen = [spec for spec in specs if not keys or spec["key"] in keys]
    if not chosen or set(keys) - {spec["key"] for spec in specs}:
        raise OrderActionNotPossible(_("This product has no such secret that can be rotated."), field="keys")
    change = _begun(order, ChangeKind.SECRETS, actor, why)
    order.secrets.values = {**order.secrets.values, **{spec["key"]: generate_secret(spec) for spec in chosen}}
    order.secrets.save(update_fields=("values", "updated_at"))
    labels = ", ".join(str(spec.get("label", spec["key"])) for spec in chosen)
    note_event(order, actor, _("New values for: %(secrets)s.") % {"secrets": labels}, public=True)
    return _request(change, order, actor)


@transaction.atomic
def note_switch(order_pk: int, version: int, *, interrupts: bool = True) -> None:
    """The order's images are ready for `version`: from now on its change has limited time to pass its checks.

    Where it `interrupts`, services are about to be replaced, and the time without them counts.
    """
    now = clock.now()
    deadline = now + timedelta(seconds=settings.CHANGE_TIMEOUT)
    changes = OrderChange.objects.open().filter(order=order_pk, switched_version__lt=version)
    if interrupts:
        changes.filter(switched_at=None).update(switched_at=now)
    changes.update(switched_version=version, deadline_at=deadline, updated_at=now)


def note_interruption(order_pk: int) -> None:
    """The order's server is about to be stopped for its change: the time without services counts."""
    OrderChange.objects.open().filter(order=order_pk, switched_at=None).update(switched_at=clock.now())


@transaction.atomic
def resolve_overdue() -> None:
    """Changes whose images or checks were not ready in time go back, whether or not anything is reported about them."""
    pks = OrderChange.objects.overdue(clock.now()).values_list("order", flat=True)
    orders = lock_orders(list(pks))
    if not orders:
        return
    parts = [part for order in orders for part in order.parts.all()]
    announce(derive(orders, parts, []))


def former_release(order: Order) -> Release | None:
    """The release that the order ran before its present one."""
    if order.wanted_version == 1:
        return None  # nothing has ever been asked of it
    applied = order.changes.filter(state=ChangeState.APPLIED, to_release=order.release_id)
    change = applied.exclude(from_release=order.release_id).select_related("from_release").first()
    return change.from_release if change else None


def releases_for(order: Order, *, earlier: bool) -> list[Release]:
    """The other releases of the order's product, newest first: `earlier` ones that it may go back to, or the others.

    Among the others is always the one that new orders get, which may be an earlier one put back.
    """
    product = order.release.product
    releases = product.releases.exclude(pk=order.release_id).order_by("-pk")
    if earlier:
        return list(releases.filter(pk__lt=order.release_id))
    return list(releases.filter(Q(pk__gt=order.release_id) | Q(pk=product.present_release_id)))


def plans_for(order: Order) -> list[Plan]:
    """The plans that the order may change to."""
    plans = order.release.product.plans.filter(state=Plan.State.OFFERED, placement=order.plan.placement)
    return list(plans.exclude(pk=order.plan_id).order_by("price"))


def check_plan(order: Order, plan: Plan) -> None:
    """Nothing, if the order may change to `plan`; refuses otherwise."""
    if plan.pk == order.plan_id:
        raise OrderUnchanged(_("The order has this plan already."), field="plan")
    if plan.product_id != order.release.product_id or plan.state != Plan.State.OFFERED:
        raise OrderActionNotPossible(_("%(plan)s is no longer offered.") % {"plan": plan}, field="plan")
    if plan.placement != order.plan.placement:
        message = _("Moving between a shared and a dedicated server is not possible. Place a new order instead.")
        raise OrderActionNotPossible(message, field="plan")


def rotatable_secrets(release: Release) -> list[dict[str, Any]]:
    """The secrets of a release whose services take a new value at their next start."""
    return [spec for spec in release.secrets if spec.get("rotate", True)]


def is_staff(actor: User | None) -> bool:
    """True for staff, and where the platform itself acts."""
    return actor is None or actor.is_staff


def new_inputs(order: Order, release: Release) -> list[dict[str, Any]]:
    """The inputs that `release` asks for and the order has not answered."""
    return [spec for spec in release.localised("inputs") if spec["key"] not in order.inputs]


def _change_release(
    order: Order, kind: ChangeKind, release: Release, inputs: Mapping[str, Any], actor: User | None, why: str
) -> Order:
    if release.product_id != order.release.product_id:
        raise OrderActionNotPossible(_("That release belongs to another product."), field="release")
    if release.pk == order.release_id:
        raise OrderUnchanged(_("The order runs this release already."), field="release")
    change = _begun(order, kind, actor, why)
    order.inputs = change.to_inputs = _carried_inputs(order, release, inputs, actor)
    order.release = change.to_release = release
    added = {spec["key"]: generate_secret(spec) for spec in release.secrets if spec["key"] not in order.secrets.values}
    if added:
        order.secrets.values = {**order.secrets.values, **added}
        order.secrets.save(update_fields=("values", "updated_at"))
    return _request(change, order, actor)


def _carried_inputs(order: Order, release: Release, inputs: Mapping[str, Any], actor: User | None) -> dict[str, Any]:
    """What the order has answered already, as far as `release` asks for it, and the new answers."""
    kept = {spec["key"]: order.inputs[spec["key"]] for spec in release.inputs if spec["key"] in order.inputs}
    if is_staff(actor):
        return clean_inputs_by(release.inputs, {**kept, **inputs}, is_staff=True)
    own = {spec["key"] for spec in customer_inputs(release.inputs)}
    given = {**{key: value for key, value in kept.items() if key in own}, **inputs}
    return clean_inputs_by(release.inputs, given, is_staff=False, present=kept)


def _begun(order: Order, kind: ChangeKind, actor: User | None, why: str) -> OrderChange:
    """A change of the locked order that knows what it goes back to; not yet stored."""
    change = OrderChange(kind=kind, reason=why[:500], requested_by=actor)
    change.keep_former(order)
    change.to_release, change.to_plan, change.to_inputs = order.release, order.plan, dict(order.inputs)
    return change


def _request(change: OrderChange, order: Order, actor: User | None) -> Order:
    """The change is stored with the order that wants it; the rooms above follow."""
    change.deadline_at = preparation_deadline()
    change.save()
    order.wanted_version += 1
    order.is_changing = True
    order.save(update_fields=(*CHANGED_FIELDS, "is_changing"))
    message = _("%(change)s requested.") % {"change": change}
    note_event(order, actor, f"{message} {change.reason}".strip(), public=True)
    derive_now(order)
    return order


def _stop_change(order: Order, actor: User | None, why: str) -> Order:
    change = OrderChange.objects.open().with_names().get(order=order)
    if change.state == ChangeState.REVERTING:
        raise OrderUnchanged(_("The order is going back already."))
    change.order = order
    events: list[OrderEvent] = []
    revert_change(change, f"{_('Stopped by %(user)s.') % {'user': actor or _('the system')}} {why}".strip(), events)
    derive_now(order, events)
    return order
