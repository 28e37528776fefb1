"""How a change of an order ends: applied, or the whole stack back where it was. Rows only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from core import clock
from customers.choices import MailKind
from customers.services import write_message
from orders.choices import ChangeState, Part, PartState, State, Wanted
from orders.lifecycle import REQUIRED
from orders.models.change import OrderChange
from orders.models.event import OrderEvent
from orders.models.order import Order, OrderSecrets
from orders.models.part import OrderPart
from orders.notifications import publish_change

CHANGED_FIELDS = ("release", "plan", "inputs", "wanted_version", *Order.AGREED_FIELDS)


def resolve_changes(
    orders: Sequence[Order], parts: Mapping[int, Sequence[OrderPart]], events: list[OrderEvent]
) -> set[int]:
    """The changes in progress of these locked orders end where their parts have arrived or failed.

    A failed change goes back by itself: the order wants what it was before, as a new version. Returns the orders that
    now want something else. `events` receives what belongs on the timelines.
    """
    if not orders:
        return set()
    by_pk = {order.pk: order for order in orders}
    went_back = set()
    for change in OrderChange.objects.open().with_names().filter(order__in=by_pk):
        order = by_pk[change.order_id]
        change.order = order
        if order.wanted == Wanted.REMOVED:
            _end(change, ChangeState.CANCELLED, events, _("The order is being removed."))
        elif order.wanted == Wanted.RUNNING and _resolve(change, parts[order.pk], events):
            went_back.add(order.pk)
    return went_back


def revert_change(change: OrderChange, error: str, events: list[OrderEvent]) -> None:
    """The change's locked order wants what it was before; data is kept."""
    order = change.order
    change.state, change.error, change.deadline_at = ChangeState.REVERTING, error, None
    change.save(update_fields=("state", "error", "deadline_at", "updated_at"))
    change.give_back(order)
    order.wanted_version += 1
    order.save(update_fields=CHANGED_FIELDS)
    OrderSecrets.objects.filter(order=order).update(values=change.former_secrets)
    note_change(change, _("%(change)s did not succeed: %(error)s") % {"change": change, "error": error}, events)
    message = _("%(change)s did not succeed. Going back to %(former)s; all data is kept.")
    note_change(change, message % {"change": change, "former": _former(change)}, events, public=True)


def note_change(change: OrderChange, message: str, events: list[OrderEvent], *, public: bool = False) -> None:
    """The message is among the `events` that the caller stores."""
    events.append(OrderEvent(order_id=change.order_id, at=clock.now(), message=message, is_public=public))


def _resolve(change: OrderChange, parts: Sequence[OrderPart], events: list[OrderEvent]) -> bool:
    """True if the change went back."""
    order = change.order
    status = order.status_with(part.reported for part in parts)
    if _has_arrived(order, parts):
        _arrive(change, events)
        return False
    if status.state is State.ATTENTION:
        if change.state == ChangeState.APPLYING:
            revert_change(change, status.reason, events)
            return True
        _end(change, ChangeState.FAILED, events, status.reason)
        return False
    if _is_overdue(change):
        message = _too_late(change) % {"reason": status.reason}
        revert_change(change, message, events)
        return True
    return False


def _has_arrived(order: Order, parts: Sequence[OrderPart]) -> bool:
    """Every required part is ready at this version: a monitor's opinion of an older one does not count."""
    ready = {part.part for part in parts if part.version == order.wanted_version and part.state == PartState.READY}
    return set(REQUIRED) <= {Part(part) for part in ready}


def _is_overdue(change: OrderChange) -> bool:
    is_applying = change.state == ChangeState.APPLYING
    return bool(is_applying and change.deadline_at and change.deadline_at <= clock.now())


def _too_late(change: OrderChange) -> str:
    if change.switched_version == change.order.wanted_version:
        return _("It did not pass its checks in time. %(reason)s")
    return _("Its images were not ready in time. %(reason)s")


def _arrive(change: OrderChange, events: list[OrderEvent]) -> None:
    now = clock.now()
    if change.switched_at is not None:
        change.interruption = round((now - change.switched_at).total_seconds(), 1)
    if change.state == ChangeState.REVERTING:
        _end(change, ChangeState.REVERTED, events, change.error)
        message = _("Back on %(former)s; all checks passed.") % {"former": _former(change)}
    else:
        _end(change, ChangeState.APPLIED, events, "")
        message = _("%(change)s is complete; all checks passed.") % {"change": change}
    if change.interruption is not None:
        pause = _("Services did not answer for at most %(seconds)s seconds.") % {"seconds": f"{change.interruption:g}"}
        message = f"{message} {pause}"
    note_change(change, message, events, public=True)


def _end(change: OrderChange, state: ChangeState, events: list[OrderEvent], error: str) -> None:
    """The change is over, the former secrets are forgotten, and the customer gets a mail about how it ended."""
    change.state, change.ended_at, change.error = state, clock.now(), error
    change.deadline_at, change.former_secrets = None, {}
    change.save(
        update_fields=(
            "state",
            "ended_at",
            "error",
            "deadline_at",
            "former_secrets",
            "interruption",
            "updated_at",
        )
    )
    order = change.order
    order.is_changing = False
    order.save(update_fields=("is_changing",))
    if state is ChangeState.FAILED:
        note_change(change, _("Going back failed too: %(error)s") % {"error": error}, events)
    mails = {ChangeState.APPLIED: "changed", ChangeState.REVERTED: "change_reverted"}
    if mail := mails.get(state):
        write_message(
            key=f"order:{order.reference}:change:{change.pk}:{state}",
            customer=order.customer,
            kind=MailKind.CHANGED,
            template=f"orders/mail/{mail}",
            context={"order": order, "change": change},
        )
    publish_change(change)


def _former(change: OrderChange) -> str:
    """What the order goes back to, in words."""
    if change.from_release_id != change.to_release_id:
        return str(change.from_release.version)
    if change.from_plan_id != change.to_plan_id:
        return _("plan %(plan)s") % {"plan": change.from_plan.name}
    return _("the former settings")
