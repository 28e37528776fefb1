"""The rooms above follow orders, each for itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from orders import followers
from orders.choices import Move, Part, Wanted
from orders.followers import Follower
from orders.part_reports import announce
from orders.services import place_order
from orders.signals import orders_moved
from tests.factories import make_draft

Reconcile = Callable[[tuple[int, ...]], object]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Follower]:
    """The rooms that follow, for the test to fill."""
    fresh: dict[str, Follower] = {}
    monkeypatch.setattr(followers, "_followers", fresh)
    return fresh


def fail(_: tuple[int, ...]) -> None:
    raise KeyError("a bug")


def follower(reconcile: Reconcile, *after: Move | Part) -> Follower:
    return Follower(reconcile=reconcile, after=frozenset({Move.WANTED, *after}))


def test_room_that_fails_silences_neither_the_others_nor_the_sender(
    rooms: dict[str, Follower], caplog: pytest.LogCaptureFixture
) -> None:
    called: list[object] = []
    rooms |= {"first": follower(called.append), "second": follower(fail), "third": follower(called.append)}
    results = orders_moved.send_robust(sender=None, order_pks=(7,), moves=frozenset({Move.WANTED}))
    assert called == [(7,), (7,)]
    assert [error for _receiver, error in results if error is not None] == []
    assert "second did not follow orders (7,)" in caplog.text


@pytest.mark.parametrize(
    ("moves", "called"),
    [
        ({Move.WANTED}, ["billing", "monitoring"]),
        ({Move.STATE}, ["billing"]),
        ({Part.ENDPOINTS}, ["monitoring"]),
        ({Part.SERVER}, []),
        ({Part.ENDPOINTS, Move.STATE}, ["billing", "monitoring"]),
    ],
)
def test_room_is_called_for_the_moves_that_it_waits_for(
    rooms: dict[str, Follower], moves: set[Move | Part], called: list[str]
) -> None:
    found: list[str] = []
    rooms["billing"] = follower(lambda _: found.append("billing"), Move.STATE)
    rooms["monitoring"] = follower(lambda _: found.append("monitoring"), Part.ENDPOINTS)
    orders_moved.send_robust(sender=None, order_pks=(7,), moves=frozenset(moves))
    assert found == called


@pytest.mark.django_db(transaction=True)
def test_request_succeeds_though_a_room_fails_after_commit(rooms: dict[str, Follower]) -> None:
    rooms["broken"] = follower(fail)
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    assert order.wanted == Wanted.RUNNING
    assert order.approved_at is not None


@pytest.mark.django_db(transaction=True)
def test_stranger_that_listens_and_fails_stops_nobody(rooms: dict[str, Follower]) -> None:
    called: list[object] = []
    rooms["room"] = follower(called.append)

    def break_down(**_: object) -> None:
        raise KeyError("a bug")

    orders_moved.connect(break_down)
    try:
        with transaction.atomic():
            announce({7: {Move.WANTED}})
    finally:
        orders_moved.disconnect(break_down)
    assert called == [(7,)]
