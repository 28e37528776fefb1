"""The rooms above follow orders, each for itself."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction

from orders import followers
from orders.choices import Wanted
from orders.part_reports import announce
from orders.services import place_order
from orders.signals import orders_moved
from tests.factories import make_draft

Reconcile = Callable[[tuple[int, ...]], object]


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> dict[str, Reconcile]:
    """The rooms that follow, for the test to fill."""
    fresh: dict[str, Reconcile] = {}
    monkeypatch.setattr(followers, "_followers", fresh)
    return fresh


def fail(_: tuple[int, ...]) -> None:
    raise KeyError("a bug")


def test_room_that_fails_silences_neither_the_others_nor_the_sender(
    rooms: dict[str, Reconcile], caplog: pytest.LogCaptureFixture
) -> None:
    called: list[object] = []
    rooms |= {"first": called.append, "second": fail, "third": called.append}
    results = orders_moved.send_robust(sender=None, order_pks=(7,))
    assert called == [(7,), (7,)]
    assert [error for _receiver, error in results if error is not None] == []
    assert "second did not follow orders (7,)" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_request_succeeds_though_a_room_fails_after_commit(rooms: dict[str, Reconcile]) -> None:
    rooms["broken"] = fail
    order = place_order(order=make_draft(plan_fields={"auto_approve": True}))
    assert order.wanted == Wanted.RUNNING
    assert order.approved_at is not None


@pytest.mark.django_db(transaction=True)
def test_stranger_that_listens_and_fails_stops_nobody(rooms: dict[str, Reconcile]) -> None:
    called: list[object] = []
    rooms["room"] = called.append

    def break_down(**_: object) -> None:
        raise KeyError("a bug")

    orders_moved.connect(break_down)
    try:
        with transaction.atomic():
            announce({7})
    finally:
        orders_moved.disconnect(break_down)
    assert called == [(7,)]
