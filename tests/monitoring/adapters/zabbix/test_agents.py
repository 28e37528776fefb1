"""Agents of servers, their templates, and certificates: had where there is an agent, done without where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.adapters.zabbix.certificates import key_of
from monitoring.contracts.backend import CheckSpec, MonitorSpec, Registered
from tests.fakes.zabbix import URL, FakeZabbix

WMS = CheckSpec(key="wms", name="Maps", url="https://maps.example/wms")
CSW = CheckSpec(key="csw", name="Catalogue", url="https://maps.example/csw")
PLAIN = CheckSpec(key="wfs", name="Features", url="http://maps.example/wfs")
KEY, PROBE = "live-gl1111", "127.0.0.1:10050"
BARE = MonitorSpec(key=KEY, name="GL1111", checks=(WMS, CSW, PLAIN))
SPEC = replace(BARE, agent_address="10.0.0.5")
TEMPLATES = {"10001": "Linux by Zabbix agent", "10318": "Docker by Zabbix agent 2"}


@pytest.fixture
def zabbix(zabbix: FakeZabbix) -> FakeZabbix:
    """One that ships with templates."""
    zabbix.tables["template"] = {number: {"templateid": number, "name": name} for number, name in TEMPLATES.items()}
    return zabbix


@pytest.fixture
def probing(zabbix: FakeZabbix) -> ZabbixBackend:
    """The adapter, with an agent that asks for certificates."""
    return ZabbixBackend(url=URL, token="the-token", probe=PROBE)


def faces(zabbix: FakeZabbix) -> dict[str, str]:
    """The interfaces, and which is the main one."""
    return {
        f"{table['ip'] or table['dns']}:{table['port']}": table["main"]
        for table in zabbix.tables["hostinterface"].values()
    }


def linked(zabbix: FakeZabbix) -> set[str]:
    return {TEMPLATES[params["templateid"]] for params in zabbix.row("host").get("templates", ())}


def changes(zabbix: FakeZabbix) -> list[str]:
    return [call for call in zabbix.calls if call.split(".")[1] != "get"]


def agent_error(backend: ZabbixBackend, spec: MonitorSpec) -> str:
    """The remark beside a registration that went well."""
    answer = backend.ensure_monitors([spec])[spec.key]
    assert isinstance(answer, Registered)
    return answer.remark


def test_server_with_an_agent_has_its_interface_and_templates(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    assert agent_error(backend, SPEC) == ""
    assert faces(zabbix) == {"10.0.0.5:10050": "1"}
    assert linked(zabbix) == set(TEMPLATES.values())
    zabbix.calls.clear()
    backend.ensure_monitors([SPEC])
    assert changes(zabbix) == []


def test_agent_that_comes_later_goes_again_with_all_that_is_ours(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([BARE])
    assert faces(zabbix) == {}
    backend.ensure_monitors([SPEC])
    assert (faces(zabbix), len(linked(zabbix))) == ({"10.0.0.5:10050": "1"}, 2)
    backend.ensure_monitors([replace(SPEC, agent_address="maps.example")])
    assert faces(zabbix) == {"maps.example:10050": "1"}
    backend.ensure_monitors([BARE])
    assert (faces(zabbix), linked(zabbix)) == ({}, set())
    assert {tag["tag"] for tag in zabbix.row("host")["tags"]} == {"live"}


def test_what_others_gave_an_adopted_host_stays_theirs(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    zabbix.tables["template"]["7"] = {"templateid": "7", "name": "Theirs"}
    host = {"host": KEY, "name": KEY, "status": "0", "groups": [], "tags": [], "macros": []}
    theirs = {"type": "1", "main": "1", "useip": "1", "ip": "10.9.9.9", "dns": "", "port": "10050"}
    templates = [{"templateid": "7"}, {"templateid": "10001"}]
    zabbix._add("host", {**host, "interfaces": [theirs], "templates": templates})
    backend.ensure_monitors([SPEC])
    assert faces(zabbix) == {"10.9.9.9:10050": "1", "10.0.0.5:10050": "0"}
    backend.ensure_monitors([BARE])
    assert faces(zabbix) == {"10.9.9.9:10050": "1"}
    assert {template["templateid"] for template in zabbix.row("host")["templates"]} == {"7", "10001"}


def test_zabbix_without_a_template_is_told_to_staff_and_fails_nobody(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    del zabbix.tables["template"]["10318"]
    assert agent_error(backend, SPEC) == "Zabbix has no template 'Docker by Zabbix agent 2' that this account may read"
    assert linked(zabbix) == {"Linux by Zabbix agent"}


def test_template_that_zabbix_will_not_link_is_told_to_staff(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    zabbix.refuse["host.update"] = lambda params: "Item 'agent.ping' already exists." * ("templates" in params)
    assert agent_error(backend, SPEC) == "Zabbix: Item 'agent.ping' already exists."
    assert len(zabbix.tables["httptest"]) == 3


def test_certificate_of_each_address_is_asked_for_once(zabbix: FakeZabbix, probing: ZabbixBackend) -> None:
    assert agent_error(probing, BARE) == ""
    asking = zabbix.row("item", type="0")
    date = zabbix.row("item", type="18")
    face = zabbix.row("hostinterface")
    assert (asking["key_"], asking["interfaceid"]) == ("web.certificate.get[maps.example,443]", face["interfaceid"])
    assert (date["key_"], date["master_itemid"]) == (key_of(WMS), asking["itemid"])
    assert date["preprocessing"][0]["params"] == "$.x509.not_after.timestamp"
    alarms = [table for table in zabbix.tables["trigger"].values() if "certificate" in table["description"]]
    assert [alarm["priority"] for alarm in alarms] == ["2", "4"]
    assert alarms[1]["expression"] == f"last(/{KEY}/live.certificate.until[maps.example,443])<=now()"
    assert {"{$LIVE.CERT.INTERVAL}", "{$LIVE.CERT.DAYS}"} <= {table["macro"] for table in zabbix.row("host")["macros"]}
    zabbix.calls.clear()
    probing.ensure_monitors([BARE])
    assert changes(zabbix) == []


def test_certificate_goes_with_its_address_and_with_the_agent(zabbix: FakeZabbix, probing: ZabbixBackend) -> None:
    probing.ensure_monitors([BARE])
    moved = replace(BARE, checks=(replace(WMS, url="https://new.example:8443/wms"),))
    probing.ensure_monitors([moved])
    assert {table["key_"] for table in zabbix.tables["item"].values()} == {
        "web.certificate.get[new.example,8443]",
        "live.certificate.until[new.example,8443]",
    }
    ZabbixBackend(url=URL, token="the-token").ensure_monitors([moved])
    assert (zabbix.tables["item"], faces(zabbix)) == ({}, {})


def test_both_agents_have_an_interface_and_that_of_the_server_is_the_main_one(
    zabbix: FakeZabbix, probing: ZabbixBackend
) -> None:
    probing.ensure_monitors([BARE])
    probing.ensure_monitors([SPEC])
    assert faces(zabbix) == {PROBE: "0", "10.0.0.5:10050": "1"}
    zabbix.calls.clear()
    probing.ensure_monitors([SPEC])
    assert changes(zabbix) == []


def test_order_is_watched_without_its_certificate_where_zabbix_refuses_the_item(
    zabbix: FakeZabbix, probing: ZabbixBackend
) -> None:
    zabbix.refuse["item.create"] = lambda params: "Incorrect item key." * (params["type"] == "0")
    assert agent_error(probing, BARE) == "Zabbix: Incorrect item key."
    assert (len(zabbix.tables["httptest"]), len(zabbix.tables["trigger"])) == (3, 3)


def test_thousand_secure_endpoints_take_at_most_twenty_calls(zabbix: FakeZabbix, probing: ZabbixBackend) -> None:
    specs = [replace(BARE, key=f"live-gl{i:05d}", name=f"GL{i:05d}", checks=(WMS,)) for i in range(1000)]
    probing.ensure_monitors(specs)
    assert len(zabbix.tables["item"]) == 2000
    assert len(zabbix.tables["trigger"]) == 3000
    assert len(zabbix.calls) <= 20


def test_alarm_is_as_bad_as_the_settings_say(zabbix: FakeZabbix) -> None:
    ZabbixBackend(url=URL, token="the-token", severity="disaster").ensure_monitors([BARE])
    assert {table["priority"] for table in zabbix.tables["trigger"].values()} == {"5"}
