"""News of an order goes up only where somebody may wait for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orders.choices import Part, PartState
from orders.models import Order
from orders.part_reports import Report, report_many
from orders.services import place_order
from orders.signals import orders_moved
from tests.factories import make_draft

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def moved() -> Iterator[list[int]]:
    """The orders that were told of, in their sequence; no room listens."""
    heard: list[int] = []

    def listen(*, order_pks: tuple[int, ...], **_: object) -> None:
        heard.extend(order_pks)

    rooms, orders_moved.receivers = orders_moved.receivers, []
    orders_moved.connect(listen)
    yield heard
    orders_moved.receivers = rooms


@pytest.fixture
def order(moved: list[int]) -> Order:
    """An order that is on its way."""
    placed = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    moved.clear()
    return placed


def say(order: Order, part: Part, state: PartState, message: str = "") -> None:
    report_many(
        [Report(order_pk=order.pk, part=part, state=state, message=message, version=order.wanted_version)],
    )


def test_progress_concerns_nobody_else(order: Order, moved: list[int]) -> None:
    say(order, Part.SERVER, PartState.WORKING, "Asked for a server.")
    say(order, Part.SERVER, PartState.WORKING, "Still booting.")
    assert moved == []


def test_a_part_that_arrives_lets_the_next_one_look(order: Order, moved: list[int]) -> None:
    say(order, Part.SERVER, PartState.WORKING)
    moved.clear()
    say(order, Part.SERVER, PartState.READY)
    assert moved == [order.pk]


def test_a_changed_state_is_always_told(order: Order, moved: list[int]) -> None:
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        say(order, part, PartState.READY)
    assert moved == [order.pk] * 3
    say(order, Part.ENDPOINTS, PartState.DOWN, "Maps do not answer.")
    assert moved == [order.pk] * 4  # degraded: its own state changed


def test_monitoring_that_arrives_concerns_nobody_else(order: Order, moved: list[int]) -> None:
    for part in (Part.SERVER, Part.COMPOSITION, Part.ENDPOINTS):
        say(order, part, PartState.READY)
    moved.clear()
    say(order, Part.MONITORING, PartState.READY)
    assert moved == []


def test_monitoring_that_is_gone_lets_the_composition_go(order: Order, moved: list[int]) -> None:
    say(order, Part.MONITORING, PartState.WORKING)
    moved.clear()
    say(order, Part.MONITORING, PartState.REMOVED)
    assert moved == [order.pk]


def tell(order: Order, message: str, progress_note: str, state: PartState = PartState.WORKING) -> None:
    version = order.wanted_version
    report_many(
        [
            Report(
                order_pk=order.pk,
                part=Part.COMPOSITION,
                state=state,
                message=message,
                progress_note=progress_note,
                version=version,
            )
        ]
    )


def told_of_composition(order: Order) -> list[str]:
    return list(order.events.public().filter(part=Part.COMPOSITION).values_list("message", flat=True))


def test_stages_are_on_the_timeline_once_and_their_steps_are_not(order: Order) -> None:
    for step in range(1, 8):
        tell(order, f"Building csw (step {step} of 7)", "Building csw")
    tell(order, "Starting 0 of 2 services", "Starting the services")
    assert order.parts.get(part=Part.COMPOSITION).message == "Starting 0 of 2 services"
    tell(order, "The engine does not answer", "")
    tell(order, "Building csw", "Building csw")
    assert told_of_composition(order) == ["Building csw", "Starting the services"]


def test_stages_are_told_again_once_the_part_has_come_to_rest(order: Order) -> None:
    tell(order, "Building csw", "Building csw")
    tell(order, "4 services run.", "", PartState.READY)
    tell(order, "Starting 0 of 2 services", "Starting the services")
    tell(order, "Building csw", "Building csw")
    texts = ["Building csw", "4 services run.", "Starting the services", "Building csw"]
    assert told_of_composition(order) == texts
