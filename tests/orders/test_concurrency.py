"""Two people act on one order at once: the second finds it as the first has left it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from orders.choices import Part, PartState, State, Wanted
from orders.models import Order
from orders.services import (
    OrderActionNotPossible,
    approve_order,
    edit_order,
    place_order,
    remove_order,
    report,
    resume_order,
    retry_order,
    suspend_order,
)
from tests.factories import make_draft
from tests.orders.situations import SITUATIONS, active, fresh, pending, provisioning

two_connections = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite lets one connection write at a time: its in-memory tests have one"
)
Verb = Callable[..., Order]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("situation", "verb"),
    [
        ("draft", place_order),
        ("pending", approve_order),
        ("active", suspend_order),
        ("suspended", resume_order),
        ("failed", retry_order),
        ("active", remove_order),
    ],
)
def test_the_second_of_two_equal_clicks_is_refused(situation: str, verb: Verb) -> None:
    first = SITUATIONS[situation]()
    second = fresh(first)
    done = verb(order=first)
    with pytest.raises(OrderActionNotPossible):
        verb(order=second)
    assert fresh(first).wanted_version == done.wanted_version


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("situation", "first", "second"),
    [
        ("pending", remove_order, approve_order),
        ("active", remove_order, suspend_order),
        ("suspended", remove_order, resume_order),
        ("failed", remove_order, suspend_order),
        ("draft", remove_order, place_order),
    ],
)
def test_nothing_brings_back_what_somebody_else_has_removed(situation: str, first: Verb, second: Verb) -> None:
    order = SITUATIONS[situation]()
    other_page = fresh(order)
    first(order=order)
    with pytest.raises(OrderActionNotPossible):
        second(order=other_page)
    assert fresh(order).wanted == Wanted.REMOVED


@pytest.mark.django_db
def test_a_draft_placed_meanwhile_is_not_edited() -> None:
    order = make_draft(name="maps")
    form = fresh(order)
    place_order(order=order)
    with pytest.raises(OrderActionNotPossible, match="Only a draft can be edited"):
        edit_order(order=form, name="other", inputs={})
    assert fresh(order).name == "maps"


@pytest.mark.django_db
def test_a_suspension_of_an_order_read_before_it_failed_keeps_the_failure_in_mind() -> None:
    page = active()
    report(page.pk, Part.ENDPOINTS, PartState.DOWN, "WMS is down.", version=1)
    order = suspend_order(order=page)
    assert (order.wanted, order.wanted_version, order.state) == (Wanted.SUSPENDED, 2, State.ACTIVE)


def at_once(*calls: Callable[[], object]) -> list[Exception | None]:
    """What each call raised, all of them having begun at the same moment on connections of their own."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], object]) -> Exception | None:
        try:
            barrier.wait(timeout=10)
            call()
        except OrderActionNotPossible as refusal:
            return refusal
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@two_connections
@pytest.mark.django_db(transaction=True)
def test_of_two_approvals_at_the_same_moment_one_is_refused() -> None:
    order = pending()
    pages = fresh(order), fresh(order)
    results = at_once(*(lambda page=page: approve_order(order=page) for page in pages))
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "OrderActionNotPossible"]
    assert order.events.filter(message="Approved.").count() == 1


@two_connections
@pytest.mark.django_db(transaction=True)
def test_reports_and_a_removal_at_the_same_moment_end_in_the_removal() -> None:
    order = provisioning()
    calls = [lambda part=part: report(order.pk, part, PartState.READY, version=1) for part in Part]
    results = at_once(*calls, lambda: remove_order(order=fresh(order)))
    assert results == [None] * len(results)
    row = fresh(order)
    assert row.wanted == Wanted.REMOVED
    assert row.state == (State.REMOVING if row.parts.exists() else State.REMOVED)
