"""Maintenance windows in Zabbix: found before they are made, moved where they differ, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.errors import PermanentError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import CheckSpec, MonitorSpec, WindowSpec
from tests.fakes.zabbix import FakeZabbix

WMS = CheckSpec(key="wms", name="Maps", url="https://maps.example/wms")
FIRST = MonitorSpec(key="live-gl1111", name="GL1111", checks=(WMS,))
TWO = replace(FIRST, key="live-gl2222", name="GL2222")
START = datetime(2027, 3, 1, 22, 0, 30, tzinfo=UTC)
WINDOW = WindowSpec(
    key="live-window-7-270301",
    title="New disks",
    description="Half an hour without maps.",
    starts_at=START,
    ends_at=START + timedelta(hours=1),
    monitors=(FIRST.key, TWO.key),
)


@pytest.fixture
def backend(backend: ZabbixBackend) -> ZabbixBackend:
    """Two orders are registered."""
    backend.ensure_monitors([FIRST, TWO])
    return backend


def hosts(zabbix: FakeZabbix) -> set[str]:
    """Whose hosts the only window is over."""
    return {zabbix.tables["host"][host["hostid"]]["host"] for host in zabbix.row("maintenance")["hosts"]}


def test_window_is_made_of_whole_minutes_over_the_hosts_of_its_orders(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    assert backend.ensure_windows([WINDOW]) == {WINDOW.key: zabbix.row("maintenance")["maintenanceid"]}
    row = zabbix.row("maintenance")
    assert (row["name"], row["description"]) == ("New disks (live-window-7-270301)", "Half an hour without maps.")
    since = int(START.timestamp()) - 30
    assert (row["active_since"], row["active_till"]) == (str(since), str(since + 61 * 60))
    assert row["timeperiods"] == [{"timeperiod_type": "0", "start_date": str(since), "period": str(61 * 60)}]
    assert hosts(zabbix) == {FIRST.key, TWO.key}


def test_second_time_nothing_is_changed_and_many_are_few_calls(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    many = [replace(WINDOW, key=f"live-window-{i}-270301") for i in range(300)]
    zabbix.calls.clear()
    first = backend.ensure_windows(many)
    assert zabbix.calls == ["maintenance.get", "host.get", "maintenance.create"]
    zabbix.calls.clear()
    assert backend.ensure_windows(many) == first
    assert zabbix.calls == ["maintenance.get", "host.get"]
    zabbix.calls.clear()
    assert backend.remove_windows(list(first)) == {}
    assert zabbix.calls == ["maintenance.get", "maintenance.delete"]
    assert not zabbix.tables["maintenance"]


def test_window_that_moves_is_moved_and_follows_hosts_made_anew(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    first = backend.ensure_windows([WINDOW])
    assert backend.ensure_windows([replace(WINDOW, ends_at=START + timedelta(hours=3))]) == first
    assert int(zabbix.row("maintenance")["active_till"]) == int(START.timestamp()) + 30 + 3 * 3600
    hostid = zabbix.row("host", host=FIRST.key)["hostid"]
    backend.client.call("host.delete", [hostid])
    backend.ensure_monitors([FIRST])
    assert hosts(zabbix) == {TWO.key}
    assert backend.ensure_windows([WINDOW]) == first
    assert hosts(zabbix) == {FIRST.key, TWO.key}


def test_window_over_nothing_registered_is_not_made_and_does_not_stay(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    nobody = replace(WINDOW, monitors=("live-gl9999",))
    assert backend.ensure_windows([nobody]) == {WINDOW.key: ""}
    backend.ensure_windows([WINDOW])
    assert backend.ensure_windows([nobody]) == {WINDOW.key: ""}
    assert not zabbix.tables["maintenance"]


def test_window_that_zabbix_refuses_holds_no_other_back(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    other = replace(WINDOW, key="live-window-8-270301")
    zabbix.refuse["maintenance.create"] = lambda params: "Invalid period." * ("-7-" in params["name"])
    answers = backend.ensure_windows([WINDOW, other])
    assert str(answers[WINDOW.key]) == "Zabbix: Invalid period."
    assert isinstance(answers[other.key], str)


def test_hosts_go_though_nothing_else_is_in_their_window(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_windows([WINDOW])
    assert backend.remove_monitors([FIRST.key]) == {}
    assert hosts(zabbix) == {TWO.key}
    assert backend.remove_monitors([TWO.key]) == {}
    assert not zabbix.tables["maintenance"]
    assert not zabbix.tables["host"]


def test_window_made_by_hand_is_left_and_named(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    hostid = zabbix.row("host", host=FIRST.key)["hostid"]
    zabbix._add("maintenance", {"name": "Theirs", "hosts": [{"hostid": hostid}]})
    refused = backend.remove_monitors([FIRST.key, TWO.key])
    assert set(refused) == {FIRST.key}
    assert isinstance(refused[FIRST.key], PermanentError)
    assert "Theirs" in str(refused[FIRST.key])
    assert "Delete that maintenance in Zabbix" in str(refused[FIRST.key])
    assert zabbix.row("maintenance")["name"] == "Theirs"
