"""Zabbix tells problems, its own figures and the past in a number of calls that does not grow with the orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses

from core.errors import ConfigError, TransientError
from core.outside.check_failure import FailureKind
from monitoring.adapters.zabbix import history, objects
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.adapters.zabbix.history_source import ZabbixHistorySource
from monitoring.contracts.backend import CheckSpec, Health, MonitorSpec
from monitoring.contracts.history_source import ActiveProblem, HistoryRange, PastProblem, SliReading
from tests.fakes.zabbix import API, NOW, FakeZabbix

START = datetime.fromtimestamp(NOW, UTC)
MINUTE = timedelta(minutes=1)
TAGS = [{"tag": "live", "value": "live-gl1111"}, {"tag": "check", "value": "wms"}]


@pytest.fixture
def source(backend: ZabbixBackend) -> ZabbixHistorySource:
    return ZabbixHistorySource(backend.client)


def spec(key: str, *names: str) -> MonitorSpec:
    checks = tuple(CheckSpec(key=name, name=name.upper(), url=f"https://maps.example/{name}") for name in names)
    return MonitorSpec(key=key, name=key, tags={"product": "sdi"}, checks=checks)


def test_problems_are_asked_for_in_one_call(zabbix: FakeZabbix, source: ZabbixHistorySource) -> None:
    row = {"eventid": "7", "clock": str(NOW), "name": "Maps", "severity": "4", "acknowledged": "1", "suppressed": "0"}
    zabbix.canned["problem.get"] = lambda _: [{**row, "tags": TAGS}, {**row, "eventid": "8", "tags": TAGS[:1]}]
    found = ActiveProblem(
        event_id="7", key="live-gl1111", check="wms", name="Maps", severity=4, since=START, acknowledged=True
    )
    first, second = source.read_problems()
    assert first == found
    assert (second.event_id, second.check) == ("8", "")
    assert zabbix.calls.count("problem.get") == 1
    assert zabbix.asked[-1][1]["tags"] == [{"tag": "live", "operator": 4}]


def test_failures_that_are_over_are_told_and_others_are_not(zabbix: FakeZabbix, source: ZabbixHistorySource) -> None:
    over = {"eventid": "7", "clock": str(NOW), "r_eventid": "9", "tags": TAGS}
    zabbix.canned["event.get"] = lambda _: [over, {**over, "r_eventid": "0"}, {**over, "tags": TAGS[:1]}]
    assert source.read_past_problems(since=START - MINUTE) == [PastProblem(key="live-gl1111", check="wms", at=START)]
    assert zabbix.asked[-1][1]["time_from"] == NOW - 60


def test_figures_take_one_call_per_plan(zabbix: FakeZabbix, source: ZabbixHistorySource) -> None:
    tags = [{"tag": "plan", "value": "sdi/small"}]
    zabbix.canned["service.get"] = lambda _: [
        {"serviceid": str(n), "tags": [*tags, {"tag": "live", "value": f"live-{n}"}]} for n in (1, 2)
    ]
    zabbix.canned["sla.get"] = lambda _: [{"slaid": "5", "name": "Geocat Live/sdi/small"}]
    zabbix.canned["sla.getsli"] = lambda _: {
        "periods": [
            {"period_from": NOW - 200, "period_to": NOW - 100},
            {"period_from": NOW - 100, "period_to": NOW},
        ],
        "serviceids": [1, 2],
        "sli": [
            [{"uptime": 0, "downtime": 0, "sli": -1}, {"uptime": 100, "downtime": 0, "sli": 100}],
            [{"uptime": 60, "downtime": 40, "sli": 60}, {"uptime": 90, "downtime": 0, "sli": 100}],
        ],
    }
    start, middle = START - timedelta(seconds=200), START - timedelta(seconds=100)
    assert source.read_sli() == [
        SliReading(key="live-2", start=start, end=middle, uptime=100, downtime=0),
        SliReading(key="live-1", start=middle, end=START, uptime=60, downtime=40),
        SliReading(key="live-2", start=middle, end=START, uptime=90, downtime=0),
    ]
    assert zabbix.calls[-3:] == ["service.get", "sla.get", "sla.getsli"]
    assert zabbix.asked[-1][1]["serviceids"] == ["1", "2"]


def test_nothing_registered_has_no_figures(zabbix: FakeZabbix, source: ZabbixHistorySource) -> None:
    assert source.read_sli() == []
    assert "sla.getsli" not in zabbix.calls


class Memory:
    """`item.get` and `history.get` of the registered scenarios: a reading a minute, failing at `fails`."""

    def __init__(self, zabbix: FakeZabbix, minutes: int, fails: set[int]) -> None:
        self.zabbix, self.minutes, self.fails = zabbix, minutes, fails
        zabbix.canned["item.get"] = self.items
        zabbix.canned["history.get"] = self.history

    def items(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        tests = [table for table in self.zabbix.tables["httptest"].values() if table["hostid"] in asked["hostids"]]
        return [
            {
                "itemid": f"{kind}-{table['httptestid']}",
                "hostid": table["hostid"],
                "key_": objects.item_key(kind, CheckSpec(key=table["name"], name="", url="")),
            }
            for table in tests
            for kind in ("fail", "error")
        ]

    def history(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        values = {"3": self.value_of, "1": lambda _minute: "connection refused"}[str(asked["history"])]
        minutes = range(self.minutes) if asked["history"] == 3 else sorted(self.fails)
        return [
            {"itemid": itemid, "clock": str(NOW + 60 * minute), "value": values(minute)}
            for minute in minutes
            for itemid in asked["itemids"]
            if asked["time_from"] <= NOW + 60 * minute <= asked["time_till"]
        ]

    def value_of(self, minute: int) -> str:
        return "1" if minute in self.fails else "0"


def test_past_is_every_reading_with_its_reason(
    zabbix: FakeZabbix, backend: ZabbixBackend, source: ZabbixHistorySource
) -> None:
    backend.ensure_monitors([spec("live-a", "wms", "csw, all")])
    Memory(zabbix, 10, {4, 5})
    asked = [
        HistoryRange(key="live-a", check="wms", start=START + 2 * MINUTE, end=START + 6 * MINUTE),
        HistoryRange(key="live-a", check="csw, all", start=START, end=START + MINUTE),
        HistoryRange(key="live-a", check="gone", start=START, end=START + MINUTE),
    ]
    earlier = source.read_history(asked)
    assert set(earlier) == set(asked[:2])
    assert [(item.health, item.failure and item.failure.kind) for item in earlier[asked[0]]] == [
        (Health.UP, None),
        (Health.UP, None),
        (Health.DOWN, FailureKind.CONNECTION_REFUSED),
        (Health.DOWN, FailureKind.CONNECTION_REFUSED),
        (Health.UP, None),
    ]
    assert [item.at for item in earlier[asked[1]]] == [START, START + MINUTE]


def test_past_of_many_takes_as_many_calls_as_of_one(
    zabbix: FakeZabbix, backend: ZabbixBackend, source: ZabbixHistorySource
) -> None:
    specs = [spec(f"live-{n}", "wms") for n in range(30)]
    backend.ensure_monitors(specs)
    Memory(zabbix, 20, {4, 5})

    def calls_for(rows: list[MonitorSpec]) -> int:
        before = len(zabbix.calls)
        periods = [HistoryRange(key=item.key, check="wms", start=START, end=START + 10 * MINUTE) for item in rows]
        assert len(source.read_history(periods)) == len(rows)
        return len(zabbix.calls) - before

    assert calls_for(specs[:1]) == calls_for(specs) == 4


def test_past_is_asked_for_in_portions_that_a_frontend_takes(
    zabbix: FakeZabbix, backend: ZabbixBackend, source: ZabbixHistorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 40)
    specs = [spec(f"live-{n}", "wms") for n in range(6)]
    backend.ensure_monitors(specs)
    Memory(zabbix, 20, set())
    periods = [HistoryRange(key=item.key, check="wms", start=START, end=START + 15 * MINUTE) for item in specs]
    assert len(source.read_history(periods)) == 6
    assert zabbix.calls.count("history.get") == 3


def test_long_period_does_not_stretch_the_short_ones_within_it(
    zabbix: FakeZabbix, backend: ZabbixBackend, source: ZabbixHistorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "AT_ONCE", 1100)
    specs = [spec(f"live-{n}", "wms") for n in range(20)]
    backend.ensure_monitors(specs)
    Memory(zabbix, 900, set())
    asked = [
        HistoryRange(key=call.key, check="wms", start=START, end=START + (5 if n else 899) * MINUTE)
        for n, call in enumerate(specs)
    ]
    earlier = source.read_history(asked)
    assert [len(earlier[call]) for call in asked] == [900, *[6] * 19]
    calls = [params for method, params in zabbix.asked if method == "history.get"]
    brought = [len(call["itemids"]) * (1 + (call["time_till"] - call["time_from"]) // 60) for call in calls]
    assert sorted(brought) == [114, 900]


def test_periods_far_from_each_other_are_not_asked_for_as_one(
    zabbix: FakeZabbix, backend: ZabbixBackend, source: ZabbixHistorySource
) -> None:
    backend.ensure_monitors([spec("live-a", "wms")])
    Memory(zabbix, 2000, set())
    early = HistoryRange(key="live-a", check="wms", start=START, end=START + 10 * MINUTE)
    late = HistoryRange(key="live-a", check="wms", start=START + 900 * MINUTE, end=START + 910 * MINUTE)
    earlier = source.read_history([late, early])
    assert [len(earlier[early]), len(earlier[late])] == [11, 11]
    spans = [asked["time_till"] - asked["time_from"] for method, asked in zabbix.asked if method == "history.get"]
    assert spans == [600, 600]


def test_account_is_told_what_it_may_do_and_what_not(zabbix: FakeZabbix, source: ZabbixHistorySource) -> None:
    zabbix.canned["problem.get"] = lambda _: "3"
    zabbix.canned["maintenance.get"] = lambda _: "0"
    lines = source.describe()
    assert lines[:2] == ("hosts: 0 may be changed", "services: 0 may be read")
    assert "problems: 3 may be read" in lines


def test_road_that_is_closed_is_told_in_our_words(client: responses.RequestsMock) -> None:
    source = ZabbixHistorySource(ZabbixBackend(url=API.removesuffix("/api_jsonrpc.php"), token="t").client)
    client.add(responses.POST, API, status=503)
    with pytest.raises(TransientError):
        source.read_problems()
    client.replace(responses.POST, API, status=403)
    with pytest.raises(ConfigError):
        source.read_past_problems(since=START)
