"""Reports on the parts of orders, from the rooms above; the order's state and timeline are derived from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import translation
from django.utils.translation import gettext as _

from core import clock
from customers.models import User
from orders.allowed_actions import RULES, OrderActionNotPossible
from orders.choices import Move, OrderAction, Part, PartState, State
from orders.derived.change_outcomes import resolve_changes
from orders.lifecycle import lets_others_move
from orders.models import Order, OrderEvent, OrderPart
from orders.notifications import notify_customers, publish_states
from orders.signals import orders_moved

PART_FIELDS = ("state", "version", "message", "customer_message", "updated_at")
STATUS_FIELDS = ("state", "reason", "needs_attention", "activated_at", "removed_at", "updated_at")
FAILURES = (State.DEGRADED, State.ATTENTION)
# A launch that is retried passes through the same stages: within this time they are not repeated on the timeline.
REPEATED_WITHIN = timedelta(hours=1)
Moves = dict[int, set[Move | Part]]
"""What moved of each order, by its primary key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The state of one part; `version` is the order's version that it answers, and an older one changes nothing.

    `progress_note` is a line for the timeline while the state stays as it is: a stage of work that takes minutes. A
    message that is not public is for staff; customers read `customer_message` instead, if there is one.
    """

    order_pk: int
    part: Part
    state: PartState
    version: int
    message: str = ""
    is_public: bool = True
    customer_message: str = ""
    progress_note: str = ""

    @property
    def lets_others_move(self) -> bool:
        """True when another part may have waited for this."""
        return lets_others_move(self.part, self.state)

    @property
    def for_customers(self) -> str:
        """What customers read of it."""
        if self.state == PartState.FAILED:
            return _("Our staff have been notified.")
        return self.message if self.is_public else self.customer_message


def report(order_pk: int, part: Part, state: PartState, message: str = "", *, version: int) -> None:
    """Record the state of one part of one order; see `report_many`."""
    report_many([Report(order_pk=order_pk, part=part, state=state, version=version, message=message)])


@transaction.atomic(savepoint=False)
def report_many(reports: Sequence[Report], *, locked: Collection[Order] = ()) -> None:
    """The parts are stored, the orders' states derived anew, and changes are on the timeline.

    Two queries to read and at most three to write, however many orders. A caller that has locked and read all of these
    orders in this transaction hands them on as `locked`: they are not read again. Repeating a report changes nothing.
    The rooms above are only notified where another part may move now: progress on the way concerns nobody else.
    """
    orders = {order.pk: order for order in locked or lock_orders({report.order_pk for report in reports})}
    prefetch_related_objects(list(orders.values()), "parts")
    parts = {(part.order_id, part.part): part for order in orders.values() for part in order.parts.all()}
    events = []
    recent_notes = _recent_notes(reports)
    touched: dict[tuple[int, str], OrderPart] = {}
    for report in reports:
        key = (report.order_pk, str(report.part))
        order, stored = orders.get(report.order_pk), parts.get(key)
        if order is None or report.version < order.wanted_version or (stored and _is_repeated(stored, report)):
            continue
        is_change = stored is None or stored.state != report.state or report.state == PartState.FAILED
        if is_change or (report.progress_note and report.progress_note not in recent_notes[key]):
            events += _events_of(report)
        part = stored or OrderPart(order_id=report.order_pk, part=report.part)
        part.state, part.version, part.message = report.state, report.version, report.message
        part.customer_message, part.updated_at = report.for_customers, clock.now()
        parts[key] = touched[key] = part
    if not touched:
        return
    OrderPart.objects.bulk_create(
        touched.values(), update_conflicts=True, unique_fields=("order", "part"), update_fields=PART_FIELDS
    )
    reported = sorted({order_pk for order_pk, _part in touched})
    moves = derive([orders[pk] for pk in reported], parts.values(), events)
    for report in reports:
        if (report.order_pk, str(report.part)) in touched and report.lets_others_move:
            moves.setdefault(report.order_pk, set()).add(report.part)
    announce(moves)


def derive(orders: Sequence[Order], parts: Iterable[OrderPart], events: list[OrderEvent]) -> Moves:
    """The stored state of `orders` is what `orders.lifecycle` derives; returns what moved, by order.

    Changes in progress end with it, or go back: then something else is wanted of the order.
    """
    before = {order.pk: order.state for order in orders}
    by_order: dict[int, list[OrderPart]] = {order.pk: [] for order in orders}
    for part in parts:
        if part.order_id in by_order:
            by_order[part.order_id].append(part)
    never_active = {order.pk for order in orders if order.activated_at is None}
    with translation.override(settings.LANGUAGE_CODE):  # stored texts are English, whoever asked
        went_back = resolve_changes([order for order in orders if order.is_changing], by_order, events)
        for order in orders:
            _derive_one(order, by_order[order.pk], events)
    changed = [order for order in orders if order.state != before[order.pk]]
    notify_customers(changed, never_active)
    publish_states(changed)
    OrderEvent.objects.bulk_create(events)
    # An upsert of rows that exist: bulk_update makes one CASE per column and row, several times slower.
    Order.objects.bulk_create(orders, update_conflicts=True, unique_fields=("pk",), update_fields=STATUS_FIELDS)
    moves: Moves = {order.pk: {Move.STATE} for order in changed}
    for pk in went_back:
        moves.setdefault(pk, set()).add(Move.WANTED)
    return moves


def announce(moves: Moves) -> None:
    """After commit, the rooms above that wait for such moves are notified of these orders."""
    if pks := tuple(sorted(moves)):
        kinds = frozenset[Move | Part]().union(*moves.values())
        transaction.on_commit(lambda: orders_moved.send_robust(sender=Order, order_pks=pks, moves=kinds))


def lock_orders(pks: Iterable[int], *related: str) -> list[Order]:
    """The orders, locked for this transaction, always in the same sequence so that two callers cannot deadlock.

    What is `related` to them is read with them, and not locked.
    """
    orders = Order.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk")
    return list(orders.select_related(*related) if related else orders)


def hold_orders(pks: Iterable[int]) -> None:
    """The orders are locked as by `lock_orders`, where nothing of them is read."""
    list(Order.objects.select_for_update().filter(pk__in=pks).order_by("pk").values_list("pk"))


def reason_for_customers(order: Order, parts: Iterable[OrderPart]) -> str:
    """The reason of the order's state, without anything meant for staff."""
    return order.status_with(part.reported.for_customers for part in parts).reason


def locked_order(order: Order, action: OrderAction) -> Order:
    """The order, locked and read again; raises OrderActionNotPossible when its state does not allow `action`."""
    locked = Order.objects.with_names().select_for_update(of=("self",)).get(pk=order.pk)
    if not locked.allows(action):
        raise OrderActionNotPossible(str(RULES[action].refusal))
    return locked


def derive_now(order: Order, events: list[OrderEvent] | None = None) -> None:
    """The locked order's state follows from its parts; after commit every room above is notified that it moved."""
    moves = derive([order], order.parts.all(), events or [])
    announce({order.pk: {Move.WANTED, *moves.get(order.pk, ())}})


def note_event(order: Order, actor: User | None, message: str, *, public: bool) -> None:
    """The message is on the order's timeline."""
    new_event(order, actor, message, public=public).save()


def new_event(order: Order, actor: User | None, message: str, *, public: bool) -> OrderEvent:
    """A line for the order's timeline, to be stored with what follows from it."""
    return OrderEvent(order=order, at=clock.now(), actor=actor, message=message, is_public=public)


def _derive_one(order: Order, parts: list[OrderPart], events: list[OrderEvent]) -> None:
    now = clock.now()
    status = order.status_with(part.reported for part in parts)
    if order.state != status.state:
        public = status.state is not State.ATTENTION
        reason = reason_for_customers(order, parts) if public else status.reason
        event = OrderEvent(order=order, at=now, state=status.state, message=reason, is_public=public)
        if not _is_reported_by_a_part(event, events):
            events.append(event)
        order.state = status.state
        if status.state is State.REMOVED:
            order.removed_at = now
        if status.state is State.ACTIVE and order.activated_at is None:
            order.activated_at = now
    order.reason, order.needs_attention, order.updated_at = status.reason, status.needs_attention, now


def _is_reported_by_a_part(event: OrderEvent, events: Iterable[OrderEvent]) -> bool:
    """True of a failure whose cause is a line of its own already, for the same readers."""
    return event.state in FAILURES and any(
        reported.order_id == event.order_id
        and reported.part
        and reported.is_public >= event.is_public
        and event.message.endswith(reported.message)
        for reported in events
    )


def _recent_notes(reports: Sequence[Report]) -> Mapping[tuple[int, str], set[str]]:
    """The progress notes of each part since it was last settled."""
    notes: dict[tuple[int, str], set[str]] = defaultdict(set)
    order_pks = {report.order_pk for report in reports if report.progress_note}
    if not order_pks:
        return notes
    events = OrderEvent.objects.filter(order__in=order_pks, at__gt=clock.now() - REPEATED_WITHIN).exclude(part="")
    for order_pk, part, state, message in events.values_list("order_id", "part", "state", "message"):
        if state != PartState.WORKING:
            notes[order_pk, part].clear()
        else:
            notes[order_pk, part].add(message)
    return notes


def _is_repeated(stored: OrderPart, report: Report) -> bool:
    before = (stored.state, stored.version, stored.message, stored.customer_message)
    return before == (report.state, report.version, report.message, report.for_customers)


def _events_of(report: Report) -> list[OrderEvent]:
    """One event for everybody; or one for staff, with the technical message, and one for the customer."""
    if report.progress_note:
        return [_event_of(report, report.progress_note, public=True)]
    public = report.is_public and report.state != PartState.FAILED
    message = report.message or f"{report.part.label}: {report.state.label}"
    events = [_event_of(report, message, public=public)]
    if report.customer_message and not public:
        events.append(_event_of(report, report.customer_message, public=True))
    return events


def _event_of(report: Report, message: str, *, public: bool) -> OrderEvent:
    return OrderEvent(
        order_id=report.order_pk,
        at=clock.now(),
        part=report.part,
        state=report.state,
        message=message,
        is_public=public,
    )
