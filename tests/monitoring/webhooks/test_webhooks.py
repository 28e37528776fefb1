"""A push is never believed: signed, it makes one order due for reading; anything else is a problem document."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.test import Client
from django_q.models import OrmQ
from pytest_django import Settings

from core.signatures import sign
from monitoring.monitors.readings import claim_page, write_page
from monitoring.monitors.services import reconcile_all
from monitoring.monitors.specs import specs_of
from monitoring.monitors.tasks import read_states
from monitoring.webhooks.views import LONGEST
from orders.services import suspend_order
from tests.monitoring.conftest import MINUTE, Room, count_queries

pytestmark = pytest.mark.django_db

SECRET = "a-secret-of-thirty-two-characters-or-more"
SOON = timedelta(seconds=10)


@pytest.fixture(autouse=True)
def pushes_are_taken(settings: Settings) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = SECRET
    cache.clear()


def push(room: Room, body: object, *, secret: str = SECRET, late: timedelta = timedelta(0), **headers: str) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Live-Signature": sign(secret, raw, at=room.drive.now - late), **headers}
    return Client().post("/hooks/zabbix/", raw, content_type="application/json", headers=headers)


def queued() -> int:
    return sum(task.func() == "monitoring.zabbix_sync.tasks.read_pushed" for task in OrmQ.objects.all())


def test_push_makes_the_order_due_at_once(room: Room) -> None:
    order, other = room.watched(), room.watched()
    room.drive.now += SOON
    answer = push(room, {"key": order.key, "event": "7"})
    assert (answer.status_code, answer.json()) == (202, {"accepted": True})
    assert room.monitor(order).next_read_at == room.drive.now
    assert room.monitor(order).pushed_at == room.drive.now
    assert queued() == 1
    assert read_states() == 1
    assert room.monitor(other).pushed_at is None


def test_content_of_a_push_is_not_believed(room: Room) -> None:
    order = room.watched()
    push(room, {"key": order.key, "event": "7", "state": "down", "severity": 5})
    assert room.monitor(order).state == "up"


def test_repeated_push_costs_no_second_reading(room: Room) -> None:
    order = room.watched()
    room.drive.now += SOON
    for _ in range(5):
        assert push(room, {"key": order.key}).status_code == 202
    assert queued() == 1
    assert read_states() == 1
    assert read_states() == 0


def test_many_pushes_at_once_put_one_message_into_the_queue(room: Room) -> None:
    orders = [room.watched() for _ in range(4)]
    room.drive.now += SOON
    for order in orders:
        push(room, {"key": order.key})
    assert queued() == 1
    assert read_states() == 4


def test_push_in_the_middle_of_a_reading_is_read_after_it(room: Room) -> None:
    order = room.watched()
    room.drive.now += MINUTE
    page = claim_page(10)
    states = room.backend.read_states(specs_of(page.rows))
    room.drive.now += timedelta(seconds=1)
    push(room, {"key": order.key})
    assert room.monitor(order).next_read_at == page.lease.until
    write_page(page, states)
    assert room.monitor(order).next_read_at == room.drive.now
    assert (read_states(), read_states()) == (1, 0)


@pytest.mark.parametrize("key", ["live-nobody", "nonsense"])
def test_unknown_order_is_not_found(room: Room, key: str) -> None:
    answer = push(room, {"key": key})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_suspended_order_is_not_read(room: Room) -> None:
    order = room.watched()
    suspend_order(order=order)
    reconcile_all()
    room.visit()
    assert push(room, {"key": order.key}).status_code == 404
    assert queued() == 0


@pytest.mark.parametrize(
    ("late", "secret", "code"),
    [
        (timedelta(0), "another-secret-of-thirty-two-characters", "bad_signature"),
        (timedelta(minutes=6), SECRET, "stale_signature"),
        (-timedelta(minutes=6), SECRET, "stale_signature"),
    ],
)
def test_forged_and_old_pushes_are_refused(room: Room, late: timedelta, secret: str, code: str) -> None:
    order = room.watched()
    before = room.monitor(order).next_read_at
    answer = push(room, {"key": order.key}, late=late, secret=secret)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert (room.monitor(order).next_read_at, queued()) == (before, 0)


@pytest.mark.parametrize("header", ["", "t=1", "t=x,v1=y", "v1=" + "0" * 64, "t=9999999999999999,v1=" + "0" * 64])
def test_header_that_is_no_signature_is_refused(room: Room, header: str) -> None:
    order = room.watched()
    answer = push(room, {"key": order.key}, **{"X-Live-Signature": header})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


def test_body_that_was_altered_is_refused(room: Room) -> None:
    order = room.watched()
    signature = sign(SECRET, b'{"key": "live-other"}', at=room.drive.now)
    assert push(room, {"key": order.key}, **{"X-Live-Signature": signature}).status_code == 401


@pytest.mark.parametrize("body", [b"", b"key=1", b"{", b"\xff\xfe"])
def test_body_that_is_no_json_is_refused(room: Room, body: bytes) -> None:
    answer = push(room, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error")


@pytest.mark.parametrize("body", [[], "live-x", {}, {"key": 7}, {"key": ""}, {"key": "x" * 101}])
def test_body_without_a_key_is_refused(room: Room, body: object) -> None:
    answer = push(room, body)
    assert (answer.status_code, answer.json()["errors"]) == (422, {"key": ["Send the value of the tag 'live'."]})


def test_huge_body_is_refused_unread(room: Room) -> None:
    answer = push(room, b"x" * (LONGEST + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_nothing_is_taken_where_no_secret_is_set(room: Room, settings: Settings) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = ""
    order = room.watched()
    assert push(room, {"key": order.key}, secret="").status_code == 404


def test_only_post_is_taken(room: Room) -> None:
    assert Client().get("/hooks/zabbix/").status_code == 405


@pytest.mark.usefixtures("two_pushes_a_minute")
def test_storm_from_one_address_is_throttled(room: Room) -> None:
    order = room.watched()
    assert [push(room, {"key": order.key}).status_code for _ in range(3)] == [202, 202, 429]


def test_forged_push_costs_no_query(room: Room) -> None:
    order = room.watched()
    assert count_queries(lambda: push(room, {"key": order.key}, secret="x" * 40)) == 0


def test_short_secret_stops_the_start(settings: Settings) -> None:
    settings.ZABBIX_WEBHOOK_SECRET = "short"
    with pytest.raises(SystemCheckError, match=r"monitoring\.E010"):
        call_command("check")
