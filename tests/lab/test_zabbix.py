"""The adapter against real Zabbix servers: an address is registered, breaks, recovers, rests and leaves no trace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.contracts.backend import Health, MonitorSpec, Registered
from tests.lab.zabbix import VERSIONS, Address, orders, serving, wait_until, zabbix

pytestmark = pytest.mark.lab


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def backend(version: str, socket_enabled: None) -> ZabbixBackend:
    return zabbix(version)


@pytest.fixture
def address(socket_enabled: None) -> Iterator[Address]:
    with serving() as address:
        yield address


@pytest.fixture
def specs(backend: ZabbixBackend, address: Address) -> Iterator[list[MonitorSpec]]:
    """Two orders, and nothing of them afterwards."""
    specs = orders(address, checks=2)
    yield specs
    backend.remove_monitors([spec.key for spec in specs])


def healths(backend: ZabbixBackend, specs: list[MonitorSpec]) -> list[Health]:
    return [check.health for checks in backend.read_states(specs).values() for check in checks.values()]


def hostids(answers: Mapping[str, Registered | OutsideError]) -> list[str]:
    return [answer.outside_id for answer in answers.values() if isinstance(answer, Registered)]


def ids(backend: ZabbixBackend, keys: list[str]) -> dict[str, list[str]]:
    """Everything that stands of `keys`, by kind."""
    tags = [{"tag": "live", "value": key, "operator": 1} for key in keys]
    hosts = backend.client.call("host.get", {"output": ["hostid"], "filter": {"host": keys}})
    own = {"hostids": [host["hostid"] for host in hosts]}
    services = backend.client.call("service.get", {"output": ["serviceid"], "tags": tags, "evaltype": 2})
    return {
        "hosts": sorted(own["hostids"]),
        "scenarios": sorted(service["httptestid"] for service in backend.client.call("httptest.get", own)),
        "triggers": sorted(service["triggerid"] for service in backend.client.call("trigger.get", own)),
        "services": sorted(service["serviceid"] for service in services),
    }


def test_connection_test_names_the_version(backend: ZabbixBackend, version: str) -> None:
    assert backend.test_connection().startswith(f"Zabbix {version}.")


def test_token_signs_in_as_well(backend: ZabbixBackend) -> None:
    (token,) = backend.client.call("token.create", [{"name": "lab"}])["tokenids"]
    try:
        (made,) = backend.client.call("token.generate", [token])
        assert ZabbixBackend(url=backend.client.url, token=made["token"]).test_connection().startswith("Zabbix")
    finally:
        backend.client.call("token.delete", [token])
    with pytest.raises(ConfigError):
        ZabbixBackend(url=backend.client.url, token=made["token"]).test_connection()


def test_address_is_watched_through_outage_and_recovery_and_leaves_nothing(
    backend: ZabbixBackend, address: Address, specs: list[MonitorSpec]
) -> None:
    keys = [spec.key for spec in specs]
    answers = backend.ensure_monitors(specs)
    present = ids(backend, keys)
    assert sorted(hostids(answers)) == present["hosts"]
    assert {kind: len(rows) for kind, rows in present.items()} == {
        "hosts": 2,
        "scenarios": 4,
        "triggers": 4,
        "services": 2,
    }

    before = backend.client.calls
    assert backend.ensure_monitors(specs) == answers
    assert backend.client.calls - before == 7
    assert ids(backend, keys) == present

    wait_until(lambda: healths(backend, specs) == [Health.UP] * 4)
    found = backend.read_states(specs)[keys[0]]["wms0"]
    assert found.failure is None
    assert 0 <= found.seconds < 2.5  # Zabbix stores what takes less than a tenth of a millisecond as 0

    address.status = 503
    wait_until(lambda: healths(backend, specs) == [Health.DOWN] * 4)
    failure = backend.read_states(specs)[keys[0]]["wms0"].failure
    assert failure is not None
    assert failure.status == 503
    problems = {"tags": [{"tag": "live", "value": keys[0], "operator": 1}]}
    wait_until(lambda: len(backend.client.call("problem.get", problems)) == 2)
    bad = {"output": ["status"], "tags": problems["tags"]}
    wait_until(lambda: [item["status"] for item in backend.client.call("service.get", bad)] == ["4"])

    address.status = 200
    wait_until(lambda: healths(backend, specs) == [Health.UP] * 4)
    wait_until(lambda: backend.client.call("problem.get", problems) == [])

    assert backend.pause_monitors(keys) == {}
    assert backend.read_states(specs) == {key: {} for key in keys}
    assert backend.ensure_monitors(specs) == answers
    assert backend.remove_monitors(keys) == {}
    assert backend.left_behind(keys) == {}
    assert ids(backend, keys) == {"hosts": [], "scenarios": [], "triggers": [], "services": []}
    assert backend.remove_monitors(keys) == {}
    assert backend.pause_monitors(keys) == {}


def test_plan_has_one_sla_over_the_services_of_its_orders(backend: ZabbixBackend, specs: list[MonitorSpec]) -> None:
    backend.ensure_monitors(specs)
    backend.ensure_monitors([replace(spec, promise=99.9) for spec in specs])
    named = {"filter": {"name": ["Geocat Live/lab/small"]}, "selectServiceTags": "extend"}
    (sla,) = backend.client.call("sla.get", named)
    assert float(sla["slo"]) == 99.9
    assert [(tag["tag"], tag["value"]) for tag in sla["service_tags"]] == [("plan", "lab/small")]
    services = ids(backend, [spec.key for spec in specs])["services"]
    figures = backend.client.call("sla.getsli", {"slaid": sla["slaid"], "periods": 1})
    assert set(services) <= {str(serviceid) for serviceid in figures["serviceids"]}


def test_upgrade_moves_the_same_host(backend: ZabbixBackend, specs: list[MonitorSpec]) -> None:
    item = specs[0]
    before = backend.ensure_monitors([item])
    kept, gone = item.checks
    moved = replace(kept, url=f"{kept.url}&version=2", contains="WMS_Capabilities", name="Maps")
    new = replace(gone, key="csw")
    upgraded = replace(item, checks=(moved, new), tags={**item.tags, "release": "2.0", "product": "lab-next"})
    assert backend.ensure_monitors([upgraded]) == before
    shape = {"hostids": hostids(before), "selectSteps": "extend"}
    found = {test["name"]: test["steps"][0] for test in backend.client.call("httptest.get", shape)}
    assert set(found) == {"wms0", "csw"}
    assert (found["wms0"]["url"], found["wms0"]["required"]) == (moved.url, "WMS_Capabilities")
    assert len(ids(backend, [item.key])["triggers"]) == 2
    calls = backend.client.calls
    assert backend.ensure_monitors([upgraded]) == before
    assert backend.client.calls - calls == 7


def test_host_deleted_behind_our_back_is_made_again(backend: ZabbixBackend, specs: list[MonitorSpec]) -> None:
    first = backend.ensure_monitors(specs)
    backend.client.call("host.delete", hostids(first)[:1])
    assert set(backend.read_states(specs)) == {specs[1].key}
    again = backend.ensure_monitors(specs)
    assert again[specs[1].key] == first[specs[1].key]
    assert again[specs[0].key] != first[specs[0].key]
    assert len(ids(backend, [specs[0].key])["triggers"]) == 2


def test_host_made_by_hand_is_adopted_and_two_are_refused(backend: ZabbixBackend, specs: list[MonitorSpec]) -> None:
    first, other = specs
    group = backend.client.call("hostgroup.get", {"limit": 1})[0]["groupid"]
    by_hand = {"groups": [{"groupid": group}], "tags": [{"tag": "live", "value": first.key}]}
    (own,) = backend.client.call("host.create", [{"host": f"{first.key}-by-hand", **by_hand}])["hostids"]
    assert backend.ensure_monitors([first]) == {first.key: Registered(outside_id=own)}
    (copy,) = backend.client.call("host.create", [{"host": f"{first.key}-copy", **by_hand}])["hostids"]
    try:
        answers = backend.ensure_monitors(specs)
        assert isinstance(answers[first.key], PermanentError)
        assert f"{first.key} and {first.key}-copy" in str(answers[first.key])
        assert isinstance(answers[other.key], Registered)
    finally:
        backend.client.call("host.delete", [copy])


def test_one_that_zabbix_refuses_holds_no_other_back(backend: ZabbixBackend, specs: list[MonitorSpec]) -> None:
    bad = replace(specs[0], key=f"{specs[0].key} / bad")
    answers = backend.ensure_monitors([bad, specs[1]])
    assert isinstance(answers[bad.key], PermanentError)
    assert isinstance(answers[specs[1].key], Registered)


def test_wrong_settings_are_told_apart_from_an_outage(backend: ZabbixBackend) -> None:
    user = os.environ["LAB_ZABBIX_USER"]
    with pytest.raises(ConfigError, match="refuses this account"):
        ZabbixBackend(url=backend.client.url, user=f"no-{user}", password="wrong").test_connection()
    with pytest.raises(ConfigError):
        ZabbixBackend(url=backend.client.url, token="0" * 64).test_connection()
    with pytest.raises(TransientError, match="cannot be reached"):
        ZabbixBackend(url="http://127.0.0.1:9", token="0").test_connection()
    with pytest.raises((ConfigError, TransientError)):
        ZabbixBackend(url=f"{backend.client.url}/somewhere.else", token="0").test_connection()
