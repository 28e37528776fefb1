"""Outside parts of the chaos runs: which are on the stage, how faults strike them, and what they find wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from orders.choices import State, Wanted
from orders.models import Order
from orders.services import place_order
from tests.chaos.faults import Faults
from tests.chaos.outside import engine, stage, zabbix
from tests.chaos.outside.part import NotOnStage, OutsidePart
from tests.chaos.plan import Fault, PlannedFault
from tests.chaos.proxy import Proxy
from tests.factories import ReleaseFactory, make_draft

NOWHERE = Proxy(("127.0.0.1", 9))


class ZabbixOfLists:
    """Answers each method with the same list."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Mapping[str, Any]]] = {"hostgroup.get": [{"groupid": "5"}]}

    def call(self, method: str, _params: object) -> list[Mapping[str, Any]]:
        return list(self.answers.get(method, []))


@pytest.fixture
def order(db: None) -> Order:
    """A running order of the release v1, without endpoints."""
    return place_order(order=make_draft(release=ReleaseFactory(version="v1"), plan_fields={"auto_approve": True}))


@pytest.fixture
def watched(order: Order) -> tuple[ZabbixOfLists, zabbix.Zabbix]:
    """A Zabbix that has what the order should have."""
    client = ZabbixOfLists()
    client.answers |= {"host.get": [host_of(order)], "service.get": [{"serviceid": "7", "tags": tags_of(order)}]}
    return client, zabbix.Zabbix(NOWHERE, {}, client)  # type: ignore[arg-type]


def host_of(order: Order, **fields: str) -> dict[str, Any]:
    return {"hostid": "1", "host": order.key, "status": "0", "tags": tags_of(order), **fields}


def tags_of(order: Order) -> list[dict[str, str]]:
    return [{"tag": "live", "value": order.key}, {"tag": "release", "value": "v1"}]


def fault(kind: Fault) -> PlannedFault:
    return PlannedFault(at=1, fault=kind, seconds=5, choice=1)


def faults_with(**outside: OutsidePart) -> Faults:
    return Faults(run="", database=None, mail=None, workers=[], site=None, outside=outside)  # type: ignore[arg-type]


def test_a_part_that_is_not_to_be_had_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def here(_folder: Path) -> Iterator[OutsidePart]:
        yield OutsidePart(NOWHERE)

    @contextmanager
    def absent(_folder: Path) -> Iterator[OutsidePart]:
        raise NotOnStage("nobody has put it up")
        yield

    monkeypatch.setattr(stage, "PARTS", {"here": here, "absent": absent})
    with ExitStack() as stack:
        assert list(stage.enter_parts(stack, tmp_path)) == ["here"]
    assert "not on the stage: absent: nobody has put it up" in capsys.readouterr().out


def test_without_the_lab_there_is_no_zabbix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAB_ZABBIX_60_URL", raising=False)
    with pytest.raises(NotOnStage, match="LAB_ZABBIX_60_URL"), zabbix.on_stage(tmp_path):
        pass


def test_without_a_socket_there_is_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "SOCKET", tmp_path / "docker.sock")
    with pytest.raises(NotOnStage, match="no Docker Engine"), engine.on_stage(tmp_path):
        pass


def test_a_fault_strikes_its_part_for_some_seconds() -> None:
    part = OutsidePart(Proxy(("127.0.0.1", 9)))
    faults = faults_with(zabbix=part)
    assert faults.fall(fault(Fault.ZABBIX_DOWN), 10)
    faults.fall(fault(Fault.ZABBIX_SLOW), 12)
    assert (part.is_down, part.is_slow) == (True, True)
    faults.end_those_that_last(16)
    assert (part.is_down, part.is_slow) == (False, True)
    faults.end_those_that_last(18)
    assert not part.is_slow


def test_a_fault_of_an_absent_part_says_that_it_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert faults_with().fall(fault(Fault.ENGINE_DOWN), 10)
    assert "engine is not on the stage" in capsys.readouterr().out


def test_zabbix_that_has_each_order_once_has_no_problems(watched: tuple[ZabbixOfLists, zabbix.Zabbix]) -> None:
    assert list(watched[1].problems()) == []


def test_orphans_and_doubles_in_zabbix_are_named(watched: tuple[ZabbixOfLists, zabbix.Zabbix], order: Order) -> None:
    client, part = watched
    client.answers["host.get"] += [host_of(order, hostid="2"), host_of(order, hostid="3", host="live-nobody")]
    problems = list(part.problems())
    assert "Zabbix has the orphan live-nobody" in problems
    assert any(f"2 hosts of {order.key}, not 1" in problem for problem in problems)


def test_what_zabbix_keeps_of_a_removed_order_is_named(
    watched: tuple[ZabbixOfLists, zabbix.Zabbix], order: Order
) -> None:
    Order.objects.filter(pk=order.pk).update(state=State.REMOVED, wanted=Wanted.REMOVED)
    kept = [f"Zabbix has 1 {kind} of {order.key}, not 0; it is removed" for kind in ("hosts", "services")]
    assert list(watched[1].problems()) == kept


def test_a_host_that_is_not_as_its_order_is_named(watched: tuple[ZabbixOfLists, zabbix.Zabbix], order: Order) -> None:
    client, part = watched
    client.answers["host.get"] = [host_of(order, status="1") | {"tags": tags_of(order)[:1]}]
    client.answers["httptest.get"] = [{"hostid": "1", "name": "wms", "steps": [{"url": "http://elsewhere"}]}]
    asleep, tagged, watched_at = part.problems()
    assert "is not watched by Zabbix and wanted running" in asleep
    assert "its release is v1" in tagged
    assert "watched at [('wms', 'http://elsewhere')], not at []" in watched_at


def test_what_the_engine_keeps_of_a_removed_order_is_named(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    Order.objects.filter(pk=order.pk).update(state=State.REMOVED, wanted=Wanted.REMOVED)
    volume = {"Name": "kept_maps", "Labels": {engine.PROJECT: order.key.lower()}}
    foreign = {"Name": "other_maps", "Labels": {engine.PROJECT: "other"}}
    answers = {"volume ls": "kept_maps other_maps", "volume inspect": json.dumps([volume, foreign])}
    monkeypatch.setattr(engine, "_docker", lambda *arguments, **_options: answers.get(" ".join(arguments[:2]), ""))
    problems = list(engine.Engine(NOWHERE, Path("docker")).problems())
    assert problems == [f"{order.key} is removed, and its volume kept_maps is left on the engine"]


def test_a_composition_that_is_not_as_its_order_is_named(order: Order, monkeypatch: pytest.MonkeyPatch) -> None:
    container = {
        "Id": "1",
        "Config": {"Labels": {engine.KEY: order.key}, "Env": ["MAPS_VERSION=v3"]},
        "State": {"Status": "exited"},
    }
    answers = {"ps --all": "1", "container inspect": json.dumps([container])}
    monkeypatch.setattr(engine, "_docker", lambda *arguments, **_options: answers.get(" ".join(arguments[:2]), ""))
    stopped, release, belongings = engine.Engine(NOWHERE, Path("docker")).problems()
    assert "is exited on the engine and wanted running" in stopped
    assert "runs v3 and not one of" in release
    assert "has 0 volumes and 0 networks" in belongings
