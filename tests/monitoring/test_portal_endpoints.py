"""The order's page shows endpoints as monitoring knows them now, and says when all it has is the launch check."""

from __future__ import annotations

import pytest

from core import clock
from infrastructure.models import Endpoint
from live.portal.endpoint_rows import endpoint_rows
from orders.choices import Wanted
from tests.monitoring.conftest import Room
from tests.monitoring.incidents.test_incidents import fail

pytestmark = pytest.mark.django_db


def test_endpoint_that_passed_at_launch_and_is_down_now_is_down(room: Room) -> None:
    order = room.watched()
    Endpoint.objects.update(is_ok=True, checked_at=clock.now())
    (row,) = endpoint_rows(order)
    assert (row.state, row.is_launch_check) == ("up", False)
    fail(room, order)
    room.minute()
    room.minute()
    (row,) = endpoint_rows(order)
    assert (row.state, row.message, row.checked_at) == ("down", "Connection refused", room.drive.now)


def test_endpoints_of_a_suspended_order_are_suspended_not_unknown(room: Room) -> None:
    order = room.arrive()
    order.wanted = Wanted.SUSPENDED
    assert endpoint_rows(order)[0].state == "suspended"


def test_before_the_first_reading_it_is_the_launch_check(room: Room) -> None:
    order = room.arrive()
    now = clock.now()
    assert endpoint_rows(order)[0].state == ""
    Endpoint.objects.update(is_ok=True, checked_at=now)
    (row,) = endpoint_rows(order)
    assert (row.state, row.is_launch_check, row.checked_at) == ("up", True, now)
