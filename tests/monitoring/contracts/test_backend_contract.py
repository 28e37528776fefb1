"""What every watch promises: the built-in checker, Zabbix and the fake alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import responses

from core.errors import PermanentError
from core.outside.http_check import HttpCheck, HttpResult
from monitoring.adapters.builtin.checker import BuiltinBackend
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import CheckSpec, Health, MonitorBackend, MonitorSpec, Registered, WindowSpec
from tests.fakes.monitor_backend import REFUSED, FakeBackend
from tests.fakes.zabbix import URL, FakeZabbix, serve

WMS = CheckSpec(key="wms", name="Web Map Service", url="https://maps.example/wms", contains="Capabilities")
FIRST = MonitorSpec(key="live-gl1111", name="GL1111", checks=(WMS,))
TWO = MonitorSpec(key="live-gl2222", name="GL2222", checks=(WMS, CheckSpec(key="csw", name="CSW", url="http://b/csw")))

HOUR = timedelta(hours=1)
BEGIN = datetime(2027, 3, 1, 22, tzinfo=UTC)
WINDOW = WindowSpec(
    key="live-window-1-270301", title="New disks", starts_at=BEGIN, ends_at=BEGIN + HOUR, monitors=(FIRST.key, TWO.key)
)


def answer_all(checks: Sequence[HttpCheck], **_options: object) -> list[HttpResult]:
    return [HttpResult(status=200, seconds=0.5) for _ in checks]


@pytest.fixture(params=["builtin", "zabbix", "fake"])
def backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MonitorBackend]:
    monkeypatch.setattr("monitoring.adapters.builtin.checker.check_all", answer_all)
    watches: dict[str, MonitorBackend] = {
        "builtin": BuiltinBackend(),
        "zabbix": ZabbixBackend(url=URL, token="the-token"),
        "fake": FakeBackend(),
    }
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        serve(mock, FakeZabbix())
        yield watches[request.param]


def test_connection_test_names_what_answered(backend: MonitorBackend) -> None:
    assert backend.test_connection()


def test_ensuring_twice_gives_the_same_ids(backend: MonitorBackend) -> None:
    first = backend.ensure_monitors([FIRST, TWO])
    assert set(first) == {FIRST.key, TWO.key}
    assert all(isinstance(answer, Registered) and answer.outside_id for answer in first.values())
    assert backend.ensure_monitors([TWO, FIRST]) == first


def test_absent_monitors_are_paused_and_removed_with_success(backend: MonitorBackend) -> None:
    assert backend.pause_monitors([FIRST.key]) == {}
    assert backend.remove_monitors([FIRST.key, TWO.key]) == {}


def test_nothing_is_left_behind_after_a_removal(backend: MonitorBackend) -> None:
    backend.ensure_monitors([FIRST, TWO])
    backend.remove_monitors([FIRST.key, TWO.key])
    assert backend.left_behind([FIRST.key, TWO.key]) == {}


def test_every_check_of_every_monitor_is_read(backend: MonitorBackend) -> None:
    backend.ensure_monitors([FIRST, TWO])
    states = backend.read_states([FIRST, TWO])
    assert {key: set(checks) for key, checks in states.items()} == {FIRST.key: {"wms"}, TWO.key: {"wms", "csw"}}
    assert {check.health for checks in states.values() for check in checks.values()} == {Health.UP}


def test_nothing_asked_is_nothing_answered(backend: MonitorBackend) -> None:
    assert backend.ensure_monitors([]) == {}
    assert backend.read_states([]) == {}


def test_window_stands_once_and_goes_with_success_when_absent(backend: MonitorBackend) -> None:
    backend.ensure_monitors([FIRST, TWO])
    try:
        first = backend.ensure_windows([WINDOW])
        assert set(first) == {WINDOW.key}
        assert isinstance(first[WINDOW.key], str)
        assert backend.ensure_windows([WINDOW]) == first
    finally:
        assert backend.remove_windows([WINDOW.key]) == {}
    assert backend.remove_windows([WINDOW.key]) == {}
    assert backend.ensure_windows([]) == {}


def test_monitors_go_though_a_window_stands_over_them(backend: MonitorBackend) -> None:
    backend.ensure_monitors([FIRST, TWO])
    backend.ensure_windows([WINDOW])
    assert backend.remove_monitors([FIRST.key, TWO.key]) == {}
    assert backend.left_behind([FIRST.key, TWO.key]) == {}
    assert backend.remove_windows([WINDOW.key]) == {}


def test_builtin_checker_asks_all_at_once_what_was_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[HttpCheck]] = []

    def refuse_all(checks: Sequence[HttpCheck], **_options: object) -> list[HttpResult]:
        asked.append(checks)
        return [HttpResult(failure=REFUSED) for _ in checks]

    monkeypatch.setattr("monitoring.adapters.builtin.checker.check_all", refuse_all)
    states = BuiltinBackend().read_states([FIRST, TWO])
    assert [len(checks) for checks in asked] == [3]
    assert asked[0][0] == HttpCheck(url=WMS.url, status=200, contains="Capabilities", max_seconds=10.0)
    found = states[TWO.key]["csw"]
    assert (found.health, found.failure) == (Health.DOWN, REFUSED)


def test_builtin_checker_refuses_what_is_no_web_address_and_keeps_the_others() -> None:
    bad = MonitorSpec(key="live-gl3333", name="GL3333", checks=(CheckSpec(key="db", name="PostGIS", url="db:5432"),))
    answers = BuiltinBackend().ensure_monitors([bad, FIRST])
    assert isinstance(answers[bad.key], PermanentError)
    assert str(answers[bad.key]) == "PostGIS: 'db:5432' is not a web address"
    assert answers[FIRST.key] == Registered(outside_id=FIRST.key)
