"""What every watch promises: the built-in checker, Zabbix and the fake alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import responses

from core.errors import PermanentError
from core.outside.http_check import HttpCheck, HttpResult
from monitoring.adapters.builtin.checker import BuiltinWatch
from monitoring.adapters.zabbix.backend import ZabbixWatch
from monitoring.contracts.backend import CheckSpec, Health, MonitorSpec, Registered, Watch, WindowSpec
from tests.fakes.watch import FakeWatch
from tests.fakes.zabbix import URL, FakeZabbix, serve

WMS = CheckSpec(key="wms", name="Web Map Service", url="https://maps.example/wms", contains="Capabilities")
ONE = MonitorSpec(key="live-gl1111", name="GL1111", checks=(WMS,))
TWO = MonitorSpec(key="live-gl2222", name="GL2222", checks=(WMS, CheckSpec(key="csw", name="CSW", url="http://b/csw")))

HOUR = timedelta(hours=1)
BEGIN = datetime(2027, 3, 1, 22, tzinfo=UTC)
WINDOW = WindowSpec(
    key="live-window-1-270301", title="New disks", starts_at=BEGIN, ends_at=BEGIN + HOUR, monitors=(ONE.key, TWO.key)
)


def answer_all(checks: Sequence[HttpCheck], *, workers: int = 32) -> list[HttpResult]:
    return [HttpResult(ok=True, message=f"{check.url} answered", status=200, seconds=0.5) for check in checks]


@pytest.fixture(params=["builtin", "zabbix", "fake"])
def watch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    monkeypatch.setattr("monitoring.adapters.builtin.checker.check_all", answer_all)
    watches: dict[str, Watch] = {
        "builtin": BuiltinWatch(),
        "zabbix": ZabbixWatch(url=URL, token="the-token"),
        "fake": FakeWatch(),
    }
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, FakeZabbix())
        yield watches[request.param]


def test_connection_test_names_what_answered(watch: Watch) -> None:
    assert watch.test_connection()


def test_ensuring_twice_gives_the_same_ids(watch: Watch) -> None:
    first = watch.ensure_monitors([ONE, TWO])
    assert set(first) == {ONE.key, TWO.key}
    assert all(isinstance(answer, Registered) and answer.outside_id for answer in first.values())
    assert watch.ensure_monitors([TWO, ONE]) == first


def test_absent_monitors_are_paused_and_removed_with_success(watch: Watch) -> None:
    assert watch.pause_monitors([ONE.key]) == {}
    assert watch.remove_monitors([ONE.key, TWO.key]) == {}


def test_nothing_is_left_behind_after_a_removal(watch: Watch) -> None:
    watch.ensure_monitors([ONE, TWO])
    watch.remove_monitors([ONE.key, TWO.key])
    assert watch.left_behind([ONE.key, TWO.key]) == {}


def test_every_check_of_every_monitor_is_read(watch: Watch) -> None:
    watch.ensure_monitors([ONE, TWO])
    states = watch.read_states([ONE, TWO])
    assert {key: set(checks) for key, checks in states.items()} == {ONE.key: {"wms"}, TWO.key: {"wms", "csw"}}
    assert {seen.health for checks in states.values() for seen in checks.values()} == {Health.UP}


def test_nothing_asked_is_nothing_answered(watch: Watch) -> None:
    assert watch.ensure_monitors([]) == {}
    assert watch.read_states([]) == {}


def test_window_stands_once_and_goes_with_success_when_absent(watch: Watch) -> None:
    watch.ensure_monitors([ONE, TWO])
    try:
        first = watch.ensure_windows([WINDOW])
        assert set(first) == {WINDOW.key}
        assert isinstance(first[WINDOW.key], str)
        assert watch.ensure_windows([WINDOW]) == first
    finally:
        assert watch.remove_windows([WINDOW.key]) == {}
    assert watch.remove_windows([WINDOW.key]) == {}
    assert watch.ensure_windows([]) == {}


def test_monitors_go_though_a_window_stands_over_them(watch: Watch) -> None:
    watch.ensure_monitors([ONE, TWO])
    watch.ensure_windows([WINDOW])
    assert watch.remove_monitors([ONE.key, TWO.key]) == {}
    assert watch.left_behind([ONE.key, TWO.key]) == {}
    assert watch.remove_windows([WINDOW.key]) == {}


def test_builtin_checker_asks_all_at_once_what_was_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[HttpCheck]] = []

    def refuse_all(checks: Sequence[HttpCheck], *, workers: int) -> list[HttpResult]:
        asked.append(checks)
        return [HttpResult(ok=False, message="connection refused") for _ in checks]

    monkeypatch.setattr("monitoring.adapters.builtin.checker.check_all", refuse_all)
    states = BuiltinWatch().read_states([ONE, TWO])
    assert [len(checks) for checks in asked] == [3]
    assert asked[0][0] == HttpCheck(url=WMS.url, status=200, contains="Capabilities", max_seconds=10.0)
    seen = states[TWO.key]["csw"]
    assert (seen.health, seen.message) == (Health.DOWN, "connection refused")


def test_builtin_checker_refuses_what_is_no_web_address_and_keeps_the_others() -> None:
    bad = MonitorSpec(key="live-gl3333", name="GL3333", checks=(CheckSpec(key="db", name="PostGIS", url="db:5432"),))
    answers = BuiltinWatch().ensure_monitors([bad, ONE])
    assert isinstance(answers[bad.key], PermanentError)
    assert str(answers[bad.key]) == "PostGIS: 'db:5432' is not a web address"
    assert answers[ONE.key] == Registered(outside_id=ONE.key)
