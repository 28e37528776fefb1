"""Rooms above register what they know of an order; this room asks them all."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from infrastructure.models import Provider, Server
from orders import order_panels
from orders.admin.order_page import part_lines, plan_of, would_destroy
from orders.choices import Part
from orders.models import Order
from orders.order_panels import Fact, OrderPanels, part_row, register_panels, registered_panels
from tests.factories import make_draft
from tests.orders.situations import active


class Silent(OrderPanels):
    """A room that has nothing to show."""

    name = "silent"


class Talkative(OrderPanels):
    """A room that adds a line to every plan."""

    name = "talkative"

    def plan(self, order: Order) -> Iterable[Fact]:
        """One fact."""
        return (Fact(label="Backups", value=f"Daily backups of {order.name}"),)

    def would_destroy(self, order: Order) -> Iterable[str]:
        """One loss."""
        return (f"All backups of {order.name}",)


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> dict[str, OrderPanels]:
    """The registered rooms, for the test to fill."""
    empty: dict[str, OrderPanels] = {}
    monkeypatch.setattr(order_panels, "_registered", empty)
    return empty


def test_every_room_with_a_part_is_registered() -> None:
    assert {"infrastructure", "monitoring", "billing"} <= {room.name for room in registered_panels()}


def test_a_room_registered_twice_is_asked_once(rooms: dict[str, OrderPanels]) -> None:
    register_panels(Silent())
    register_panels(second := Silent())
    assert registered_panels() == [second]


def test_a_room_that_overrides_nothing_shows_nothing(rooms: dict[str, OrderPanels]) -> None:
    room, order = Silent(), Order()
    answers = (room.part_rows(order), room.panels(order), room.plan(order), room.would_destroy(order), room.places())
    assert [list(answer) for answer in answers] == [[]] * 5
    assert room.planned(order, inside=True) == {}


@pytest.mark.django_db
def test_the_plan_and_the_removal_name_what_each_room_adds(rooms: dict[str, OrderPanels]) -> None:
    register_panels(Silent())
    register_panels(Talkative())
    order = make_draft(name="dikes")
    assert [fact.label for fact in plan_of(order)] == ["Size", "Price", "Backups"]
    assert would_destroy(order) == ["All backups of dikes"]


@pytest.mark.django_db
def test_the_line_of_a_resource_links_to_its_page_and_says_how_far_it_is() -> None:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    server = Server.objects.create(order=active(), provider=provider, attempts=3, last_error="quota exceeded")
    row = part_row(Part.SERVER, server)
    assert (row.part, row.name, row.attempts, row.last_error) == (Part.SERVER, "server", 3, "quota exceeded")
    assert row.url == f"/admin/infrastructure/server/{server.pk}/change/"
    assert part_row(Part.SERVER, server, name="node 7").name == "node 7"


@pytest.mark.django_db
def test_every_part_has_a_line_whether_a_room_knows_it_or_not(rooms: dict[str, OrderPanels]) -> None:
    lines = part_lines(active())
    assert [line.label for line in lines] == [str(part.label) for part in Part]
    assert [line.state for line in lines] == ["Ready"] * 3 + ["Not started"] * 2
    assert all(line.row is None for line in lines)
