"""The rooms above tell how their parts stand; the order's state and timeline follow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from core import clock
from customers.services import write_message
from orders.choices import Part, PartState, State, Wanted
from orders.lifecycle import PartSeen, Standing, lets_others_move, standing
from orders.models import Order, OrderEvent, OrderPart
from orders.signals import orders_moved

PART_FIELDS = ("state", "version", "message", "told", "updated_at")
STANDING_FIELDS = ("state", "reason", "needs_person", "activated_at", "removed_at", "updated_at")
NEWS_KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One part's news; `version` is the wish it answers, and an older one than the order's changes nothing.

    `news` is a line for the timeline though the state stays as it is: a stage of work that takes minutes. A message
    that is not public is for staff: customers read `told` instead, if anything.
    """

    order_pk: int
    part: Part
    state: PartState
    version: int
    message: str = ""
    is_public: bool = True
    told: str = ""
    news: str = ""

    @property
    def lets_others_move(self) -> bool:
        """True when another part may have waited for this."""
        return lets_others_move(self.part, self.state)

    @property
    def to_customers(self) -> str:
        """What customers read of it."""
        if self.state == PartState.FAILED:
            return _("Our staff have been told.")
        return self.message if self.is_public else self.told


def report(order_pk: int, part: Part, state: PartState, message: str = "", *, version: int) -> None:
    """The part of one order stands as said; see `report_many`."""
    report_many([Report(order_pk=order_pk, part=part, state=state, version=version, message=message)])


@transaction.atomic
def report_many(reports: Sequence[Report]) -> None:
    """The parts stand as said, the orders' states are derived anew, and what changed is on the timeline.

    Two queries to read and at most three to write, however many orders. Repeating a report changes nothing. News goes
    up only where another part may move now: progress on the way there concerns nobody else.
    """
    orders = {order.pk: order for order in lock_orders({one.order_pk for one in reports})}
    parts = {(part.order_id, part.part): part for part in OrderPart.objects.filter(order__in=orders)}
    events = []
    told = _told_lately(reports)
    touched: dict[tuple[int, str], OrderPart] = {}
    for one in reports:
        order = orders.get(one.order_pk)
        known = parts.get((one.order_pk, one.part))
        if order is None or one.version < order.wanted_version or (known and _says_the_same(known, one)):
            continue
        is_news = known is None or known.state != one.state or one.state == PartState.FAILED
        if is_news or (one.news and one.news not in told[one.order_pk, one.part]):
            events += _events_of(one)
        row = known or OrderPart(order_id=one.order_pk, part=one.part)
        row.state, row.version, row.message, row.updated_at = one.state, one.version, one.message, clock.now()
        row.told = one.to_customers
        parts[one.order_pk, one.part] = touched[one.order_pk, one.part] = row
    if not touched:
        return
    OrderPart.objects.bulk_create(
        touched.values(), update_conflicts=True, unique_fields=("order", "part"), update_fields=PART_FIELDS
    )
    moved = sorted({order_pk for order_pk, _ in touched})
    changed = derive([orders[pk] for pk in moved], parts.values(), events)
    moving = {one.order_pk for one in reports if (one.order_pk, one.part) in touched and one.lets_others_move}
    announce(changed | moving)


def derive(orders: Sequence[Order], parts: Iterable[OrderPart], events: list[OrderEvent]) -> set[int]:
    """The stored state of `orders` is what `orders.lifecycle` makes of wish and `parts`; returns whose changed."""
    before = {order.pk: order.state for order in orders}
    by_order: dict[int, list[OrderPart]] = {order.pk: [] for order in orders}
    for part in parts:
        if part.order_id in by_order:
            by_order[part.order_id].append(part)
    first = {order.pk for order in orders if order.activated_at is None}
    for order in orders:
        _derive_one(order, by_order[order.pk], events)
    changed = [order for order in orders if order.state != before[order.pk]]
    _tell_customers(changed, first)
    OrderEvent.objects.bulk_create(events)
    # An upsert of rows that exist: bulk_update makes one CASE per column and row, several times slower.
    Order.objects.bulk_create(orders, update_conflicts=True, unique_fields=("pk",), update_fields=STANDING_FIELDS)
    return {order.pk for order in changed}


def announce(order_pks: Collection[int]) -> None:
    """After commit, whoever listens looks at these orders."""
    if pks := tuple(sorted(order_pks)):
        transaction.on_commit(lambda: orders_moved.send_robust(sender=Order, order_pks=pks))


def lock_orders(pks: Iterable[int]) -> list[Order]:
    """The orders, held for this transaction, in one fixed sequence so that two callers never block each other."""
    return list(Order.objects.select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk"))


def standing_of(order: Order, seen: Iterable[PartSeen]) -> Standing:
    """Where the order stands, its parts being as they were `seen`."""
    return standing(
        wanted=Wanted(order.wanted),
        version=order.wanted_version,
        placed=order.placed_at is not None,
        approved=order.approved_at is not None,
        seen=seen,
    )


def reason_for_customers(order: Order, parts: Iterable[OrderPart]) -> str:
    """Why the order stands where it stands, without the outside's own words."""
    return standing_of(order, [part.seen.to_customers for part in parts]).reason


def _derive_one(order: Order, parts: list[OrderPart], events: list[OrderEvent]) -> None:
    now = clock.now()
    seen = standing_of(order, [part.seen for part in parts])
    if order.state != seen.state:
        public = seen.state is not State.ATTENTION
        words = reason_for_customers(order, parts) if public else seen.reason
        events.append(OrderEvent(order=order, at=now, state=seen.state, message=words, is_public=public))
        order.state = seen.state
        if seen.state is State.REMOVED:
            order.removed_at = now
        if seen.state is State.ACTIVE and order.activated_at is None:
            order.activated_at = now
    order.reason, order.needs_person, order.updated_at = seen.reason, seen.needs_person, now


# The news a customer is sent, by the state reached; the key makes each one a single mail per wish.
NEWS = {
    State.PENDING: "pending",
    State.ACTIVE: "active",
    State.SUSPENDED: "suspended",
    State.REMOVED: "removed",
}


def _tell_customers(orders: Sequence[Order], first: Collection[int]) -> None:
    """Whose order reached a state worth a mail gets one; `first` are the orders that were never active before."""
    news = {order.pk: _news_of(order, first=order.pk in first) for order in orders if order.placed_at is not None}
    told = [order for order in orders if news.get(order.pk)]
    prefetch_related_objects(told, "customer", "plan", "release__product")
    for order in told:
        write_message(
            key=f"order:{order.reference}:{news[order.pk]}:{order.wanted_version}",
            customer=order.customer,
            template=f"orders/mail/{news[order.pk]}",
            context={"order": order},
        )


def _news_of(order: Order, *, first: bool) -> str:
    news = NEWS.get(State(order.state), "")
    if news == "active" and not first:
        return "resumed" if _was_suspended(order) else ""
    return news


def _was_suspended(order: Order) -> bool:
    last = OrderEvent.objects.filter(order=order, part="", state__in=(State.SUSPENDED, State.ACTIVE)).last()
    return last is not None and last.state == State.SUSPENDED


def _told_lately(reports: Sequence[Report]) -> Mapping[tuple[int, str], set[str]]:
    """What each part has told since it was last at rest: a launch that is tried again goes through the same stages."""
    told: dict[tuple[int, str], set[str]] = defaultdict(set)
    news = {one.order_pk for one in reports if one.news}
    if not news:
        return told
    lately = OrderEvent.objects.filter(order__in=news, at__gt=clock.now() - NEWS_KEPT).exclude(part="")
    for order_pk, part, state, message in lately.values_list("order_id", "part", "state", "message"):
        if state != PartState.WORKING:
            told[order_pk, part].clear()
        else:
            told[order_pk, part].add(message)
    return told


def _says_the_same(known: OrderPart, one: Report) -> bool:
    said = (known.state, known.version, known.message, known.told)
    return said == (one.state, one.version, one.message, one.to_customers)


def _events_of(one: Report) -> list[OrderEvent]:
    """A line for everybody; or one for staff, with the outside's own words, and one for the customer."""
    if one.news:
        return [_event_of(one, one.news, public=True)]
    public = one.is_public and one.state != PartState.FAILED
    lines = [_event_of(one, one.message or f"{one.part.label}: {one.state.label}", public=public)]
    if one.told and not public:
        lines.append(_event_of(one, one.told, public=True))
    return lines


def _event_of(one: Report, words: str, *, public: bool) -> OrderEvent:
    return OrderEvent(
        order_id=one.order_pk, at=clock.now(), part=one.part, state=one.state, message=words, is_public=public
    )
