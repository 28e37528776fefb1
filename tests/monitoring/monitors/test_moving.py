"""Orders whose watch is replaced by another are registered with it by themselves, and keep their history."""

from __future__ import annotations

from datetime import timedelta

import pytest

from core.errors import ConfigError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.models import Outage
from monitoring.monitors.services import move_monitors, reconcile_all
from orders.choices import PartState
from orders.services import remove_order, suspend_order
from tests.fakes.monitor_backend import REFUSED, FakeBackend
from tests.monitoring.conftest import Room, count_queries

pytestmark = pytest.mark.django_db

THERE = "https://zabbix.example"


def replace_watch(room: Room, monkeypatch: pytest.MonkeyPatch, *, address: str = THERE) -> FakeBackend:
    """From now on another one watches, and knows nobody."""
    room.backend = FakeBackend()
    room.backend.name, room.backend.address = "zabbix", address
    monkeypatch.setattr("monitoring.backends.get_backend", lambda: room.backend)
    return room.backend


def test_running_orders_are_registered_with_the_new_watch_and_no_others(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, resting, leaving = room.watched(), room.watched(), room.watched()
    suspend_order(order=resting)
    remove_order(order=leaving)
    reconcile_all()
    room.visit()
    backend = replace_watch(room, monkeypatch)
    reconcile_all()
    assert room.visit() == 1
    assert set(backend.hosts) == {running.key}
    monitor = room.monitor(running)
    assert (monitor.backend, monitor.outside_url, monitor.outside_id) == ("zabbix", THERE, "fake-1")
    assert room.part(running)[0] == PartState.READY
    assert move_monitors() == 0


def test_another_server_of_the_same_kind_is_another_watch(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.watched()
    replace_watch(room, monkeypatch)
    reconcile_all()
    room.visit()
    replace_watch(room, monkeypatch, address="https://new.example")
    assert move_monitors() == 1


def test_outage_goes_on_across_the_move(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.watched()
    room.backend.down[order.key, "wms"] = REFUSED
    room.minute()
    room.minute()
    replace_watch(room, monkeypatch).down[order.key, "wms"] = REFUSED
    reconcile_all()
    room.visit()
    room.minute()
    outage = Outage.objects.get()
    assert outage.ended_at is None
    del room.backend.down[order.key, "wms"]
    room.minute()
    outage.refresh_from_db()
    assert outage.ended_at == room.drive.now


def test_refused_by_the_old_watch_is_tried_with_the_new_and_not_for_ever(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = room.arrive()
    reconcile_all()
    room.backend.refuse[order.key] = "refused"
    room.visit()
    assert move_monitors() == 0
    backend = replace_watch(room, monkeypatch)
    backend.refuse[order.key] = "refused here too"
    reconcile_all()
    room.visit()
    assert room.part(order) == (PartState.FAILED, "refused here too")
    assert move_monitors() == 0


def test_account_that_the_watch_refuses_is_not_tried_for_ever(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.arrive()
    reconcile_all()

    def refuse(specs: object) -> None:
        raise ConfigError("the token is not accepted")

    monkeypatch.setattr(replace_watch(room, monkeypatch), "ensure_monitors", refuse)
    room.visit()
    assert room.part(order) == (PartState.FAILED, "the token is not accepted")
    assert move_monitors() == 0


def test_move_that_meets_an_outage_waits_for_its_end(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    order = room.watched()
    backend = replace_watch(room, monkeypatch)
    backend.outage = True
    reconcile_all()
    room.visit()
    assert move_monitors() == 0
    backend.outage = False
    room.drive.now += timedelta(minutes=5)
    room.visit()
    assert set(backend.hosts) == {order.key}


def test_moving_many_takes_as_many_queries_as_moving_few(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    for many in (2, 8):
        for _ in range(many):
            room.watched()
        replace_watch(room, monkeypatch, address=f"https://{many}.example")
        counts.append(count_queries(move_monitors))
        room.visit()
    assert counts[0] == counts[1]


def test_address_of_a_zabbix_shows_no_credentials() -> None:
    assert ZabbixBackend(url="https://live:secret@zabbix.example/zabbix/").address == "https://zabbix.example/zabbix"


def test_remark_is_kept_beside_the_registration(room: Room) -> None:
    order = room.arrive()
    room.backend.remarks[order.key] = "There is no template"
    reconcile_all()
    room.visit()
    assert room.monitor(order).remark == "There is no template"
    assert room.part(order)[0] == PartState.READY
