"""The trends of the dashboard: what is drawn, what is read out, and how many queries it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from live.staff.trends import DAYS, HEIGHT, availability_trend, last_days, order_trend, trends
from monitoring.models import DailyAvailability
from orders.models import Order
from tests.factories import UserFactory, make_draft

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon() -> Iterator[None]:
    """The first of July."""
    with time_machine.travel(NOW, tick=False):
        yield


def order_in_service(*, since: int, until: int | None = None) -> Order:
    """An order that became active so many days ago, and was removed so many days ago."""
    order = make_draft()
    removed_at = None if until is None else NOW - timedelta(days=until)
    Order.objects.filter(pk=order.pk).update(activated_at=NOW - timedelta(days=since), removed_at=removed_at)
    return order


def measured(order: Order, ago: int, *, up: int, down: int, closed: bool = True) -> None:
    day = date(2026, 7, 1) - timedelta(days=ago)
    DailyAvailability.objects.create(order=order, day=day, up=up, down=down, closed_at=NOW if closed else None)


def test_orders_in_service_are_counted_at_the_end_of_each_day() -> None:
    order_in_service(since=400)
    order_in_service(since=400, until=300)
    order_in_service(since=10, until=5)
    order_in_service(since=0)
    make_draft()
    trend = order_trend()
    counts = [int(bar.label.rpartition(": ")[2]) for bar in trend.bars]
    assert counts == [1] * 19 + [2] * 5 + [1] * 5 + [2]
    assert trend.now == "2"
    assert trend.sentence == "2 today, 1 thirty days ago, at most 2."
    assert (trend.bars[0].label, trend.bars[-1].label) == ("2 Jun: 1", "1 Jul: 2")


def test_bars_are_as_high_as_their_share_of_the_highest() -> None:
    order_in_service(since=0)
    order_in_service(since=50)
    trend = order_trend()
    assert [(bar.y, bar.height) for bar in trend.bars[-2:]] == [(HEIGHT // 2, HEIGHT // 2), (0, HEIGHT)]
    assert [bar.x for bar in trend.bars] == list(range(0, DAYS * 10, 10))


def test_small_count_is_seen_beside_a_large_one_and_none_is_a_line() -> None:
    for _number in range(20):
        order_in_service(since=1)
    order_in_service(since=5)
    trend = order_trend()
    assert [bar.height for bar in trend.bars[23:27]] == [1, 4, 4, 4]


def test_no_orders_are_a_flat_line() -> None:
    trend = order_trend()
    assert {bar.height for bar in trend.bars} == {1}
    assert trend.sentence == "0 today, 0 thirty days ago, at most 0."


def test_availability_is_that_of_all_orders_together() -> None:
    first, second = order_in_service(since=40), order_in_service(since=40)
    measured(first, 1, up=86_400, down=0)
    measured(second, 1, up=0, down=86_400)
    measured(first, 2, up=86_400, down=0)
    measured(first, 3, up=86_000, down=400)
    measured(first, 0, up=0, down=0, closed=False)
    measured(first, 31, up=0, down=86_400)
    trend = availability_trend()
    assert trend is not None
    assert [(bar.label, bar.tone) for bar in trend.bars[-4:]] == [
        ("28 Jun: 99.54 %", "warning"),
        ("29 Jun: 100.00 %", "good"),
        ("30 Jun: 50.00 %", "danger"),
        ("1 Jul: not measured", "quiet"),
    ]
    assert trend.sentence == "74.88 % available on average, 50.00 % on the worst day; 3 days measured."


def test_a_second_of_outage_is_not_rounded_away() -> None:
    measured(order_in_service(since=40), 1, up=10_000_000, down=1)
    trend = availability_trend()
    assert trend is not None
    assert trend.now == "99.99 %"


def test_nothing_measured_is_no_trend_of_availability() -> None:
    measured(order_in_service(since=40), 1, up=0, down=0)
    assert availability_trend() is None
    assert [trend.title for trend in trends(sees_availability=True)] == ["Orders in service"]


def test_trends_take_two_queries_for_any_number_of_orders(django_assert_num_queries: Any) -> None:
    for number in range(12):
        measured(order_in_service(since=number, until=number // 2), 1, up=1, down=0)
    with django_assert_num_queries(2):
        assert len(trends(sees_availability=True)) == 2
    with django_assert_num_queries(1):
        assert len(trends(sees_availability=False)) == 1


def test_days_end_with_today_in_the_company_zone() -> None:
    with time_machine.travel(datetime(2026, 7, 1, 23, tzinfo=UTC), tick=False):
        assert (last_days()[0], last_days()[-1], len(last_days())) == (date(2026, 6, 3), date(2026, 7, 2), DAYS)


def test_dashboard_draws_the_trends_with_their_words(client: Client) -> None:
    measured(order_in_service(since=40), 1, up=1, down=0)
    client.force_login(UserFactory(is_staff=True, is_superuser=True))
    page = client.get("/admin/").content.decode()
    assert page.count('<rect class="gl-bar-') == 2 * DAYS
    assert 'aria-label="Orders in service: 1 today' in page
    assert "<title>30 Jun: 100.00 %</title>" in page


def test_who_may_not_see_orders_sees_no_trends(client: Client) -> None:
    client.force_login(UserFactory(is_staff=True))
    assert "gl-trend" not in client.get("/admin/").content.decode()
