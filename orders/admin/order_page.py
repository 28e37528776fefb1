"""What the page of one order shows: where it stands, its parts, its plan and its timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.translation import get_language, gettext

from core.admin.read_only_rows import when
from core.money import Money
from core.text.units import cpu_words
from orders import display as order_display
from orders.choices import OrderAction, Part, PartState, State
from orders.models import Order, OrderEvent
from orders.order_panels import Fact, PartRow, registered_panels

OUTDATED = '<span class="gl-tag gl-warning" title="{}">{}</span>'
EVENTS = 200
UNPLACED = (State.DRAFT, State.PENDING)
MOVING = (State.PROVISIONING, State.REMOVING)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLine:
    """One part as the page shows it."""

    label: str
    state: str
    tone: str
    message: str
    version: str
    row: PartRow | None
    next_attempt: str


def page_of(order: Order) -> dict[str, Any]:
    """Everything the template draws; a fixed number of queries, whatever the order's age."""
    events = timeline(order)
    return {
        "order": order,
        "what_to_do": what_to_do(order),
        "tone": order_display.tone_of(order),
        "is_on_its_way": order.state in MOVING,
        "inputs": input_lines(order),
        "outdated_mark": outdated_mark(order),
        "price": money_words(order.terms.money),
        "fee": money_words(Money(order.terms.setup_fee, order.terms.currency)) if order.terms.setup_fee else "",
        "parts": [] if order.state in UNPLACED else part_lines(order),
        "plan": plan_of(order) if order.state in UNPLACED else [],
        "room_panels": [panel for room in registered_panels() for panel in room.panels(order)],
        "events": events[:EVENTS],
        "has_older": len(events) > EVENTS,
    }


def what_to_do(order: Order) -> str:
    """The next step where staff have to act on a failure; the failed component has a link to its own page."""
    if order.state != State.ATTENTION:
        return ""
    if order.allows(OrderAction.RETRY):
        return gettext("Correct the cause, then choose “Try again”; what is ready stays as it is.")
    return gettext("Correct the cause; the order continues by itself.")


def timeline(order: Order) -> list[OrderEvent]:
    """The newest events first, each with its colour."""
    rows: QuerySet[OrderEvent] = order.events.select_related("actor").order_by("-at", "-pk")
    events = list(rows[: EVENTS + 1])
    of_state = {**order_display.OF_PART, **order_display.OF_STATE}
    for event in events:
        event.tone = (order_display.OF_PART if event.part else of_state).get(event.state, "")  # type: ignore[attr-defined]
    return events


def part_lines(order: Order) -> list[PartLine]:
    """The parts in the order of arrival, those still to come included."""
    reported = {part.part: part for part in order.parts.all()}
    rows = {row.part: row for room in registered_panels() for row in room.part_rows(order)}
    return [_line(order, part, reported.get(part), rows.get(part)) for part in Part]


def _line(order: Order, part: Part, stored: Any, row: PartRow | None) -> PartLine:
    if stored is None:
        state, tone, message, version = gettext("Not started"), "", "", ""
    else:
        state, tone, message = str(PartState(stored.state).label), order_display.OF_PART[stored.state], stored.message
        version = gettext("%(version)s of %(wanted)s") % {"version": stored.version, "wanted": order.wanted_version}
    return PartLine(
        label=str(part.label),
        state=state,
        tone=tone,
        message=message,
        version=version,
        row=row,
        next_attempt=when(row.next_attempt_at) if row else "",
    )


def plan_of(order: Order) -> list[Fact]:
    """What approval would set going: size, price, and what each room above would make."""
    plan, terms = order.plan, order.terms
    size = gettext("%(cpus)s, %(ram)s GB memory, %(disk)s GB disk") % {
        "cpus": cpu_words(plan.cpus),
        "ram": plan.ram_gb,
        "disk": plan.disk_gb,
    }
    price = gettext("%(price)s per %(period)s") % {
        "price": money_words(terms.money),
        "period": terms.get_period_display(),
    }
    if terms.setup_fee:
        fee = money_words(Money(terms.setup_fee, terms.currency))
        price = gettext("%(price)s, and %(fee)s once") % {"price": price, "fee": fee}
    own = [
        Fact(label=gettext("Size"), value=f"{size} · {plan.get_placement_display()}"),
        Fact(label=gettext("Price"), value=gettext("None (sandbox order)") if order.is_sandbox else price),
    ]
    return [*own, *(fact for room in registered_panels() for fact in room.plan(order))]


def would_destroy(order: Order) -> list[str]:
    """What a removal takes away for good, as each room says it."""
    return [sentence for room in registered_panels() for sentence in room.would_destroy(order)]


def input_lines(order: Order) -> Iterable[tuple[str, Any]]:
    """(label, value) of what the customer chose, in the manifest's order."""
    return [(spec["label"], order.inputs.get(spec["key"], "")) for spec in order.release.inputs]


def money_words(money: Money) -> str:
    """The amount as the reader's language writes it."""
    return money.format(get_language() or "en")


def outdated_mark(order: Order) -> str | None:
    """A mark on orders whose product has a newer release."""
    if not order.is_outdated:
        return None
    return format_html(OUTDATED, gettext("New orders get another release of this product."), gettext("Outdated"))
