"""What stands in Zabbix after each verb, and in how few calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.errors import ConfigError, PermanentError
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.adapters.zabbix_failures import failure_of_text
from monitoring.contracts.backend import CheckSpec, Health, MonitorLeftBehind, MonitorSpec, Reading, Registered
from tests.fakes.zabbix import NOW, FakeZabbix

WMS = CheckSpec(
    key="wms", name="Web Map Service", url="https://maps.example/wms", contains="<WMS (1.3)", max_seconds=2.5
)
CSW = CheckSpec(key="csw", name="Catalogue", url="https://maps.example/csw", status=204)
TAGS = {"order": "GL1111", "customer": "C1", "product": "sdi-lite", "release": "1.0", "environment": "production"}
FIRST = MonitorSpec(
    key="live-gl1111", name="GL1111 Merholm", tags=TAGS, checks=(WMS, CSW), plan="sdi-lite/small", promise=99.5
)
KEY = FIRST.key


def many(number: int) -> Sequence[MonitorSpec]:
    return [replace(FIRST, key=f"live-gl{i:05d}", name=f"GL{i:05d}") for i in range(number)]


def host_of(key: str, **fields: object) -> dict[str, object]:
    """A host as somebody might have made it by hand."""
    return {"host": key, "name": key, "status": "0", "groups": [], "tags": [], "macros": [], **fields}


def test_everything_an_order_needs_is_made(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    answers = backend.ensure_monitors([FIRST])
    host = zabbix.row("host")
    assert answers == {KEY: Registered(outside_id=host["hostid"])}
    assert (host["host"], host["name"], host["status"]) == (KEY, "GL1111 Merholm", "0")
    assert {tag["tag"]: tag["value"] for tag in host["tags"]} == {"live": KEY, **TAGS}
    assert [(macro["macro"], macro["value"]) for macro in host["macros"]] == [("{$LIVE.INTERVAL}", "1m")]
    assert zabbix.row("hostgroup")["name"] == "Geocat Live/sdi-lite"
    assert zabbix.row("service")["problem_tags"] == [
        {"tag": "live", "operator": "0", "value": KEY},
        {"tag": "check", "operator": "2", "value": ""},
    ]
    assert zabbix.row("sla")["name"] == "Geocat Live/sdi-lite/small"
    assert zabbix.row("sla")["slo"] == "99.5"


def test_scenario_asks_what_the_check_promises(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    scenario = zabbix.row("httptest", name="wms")
    (step,) = scenario["steps"]
    assert (scenario["delay"], scenario["verify_peer"], scenario["verify_host"]) == ("{$LIVE.INTERVAL}", "1", "1")
    assert (step["name"], step["url"], step["status_codes"]) == ("Web Map Service", WMS.url, "200")
    assert (step["timeout"], step["follow_redirects"], step["required"]) == ("3s", "1", r"<WMS\ \(1\.3\)")
    trigger = zabbix.row("trigger", description="Web Map Service is down")
    assert trigger["expression"] == f"last(/{KEY}/web.test.fail[wms])<>0"
    assert trigger["priority"] == "4"


def test_text_that_is_too_long_for_zabbix_is_required_as_far_as_it_fits(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    long = replace(FIRST, checks=(replace(WMS, contains="a.b" * 100),))
    backend.ensure_monitors([long])
    required = zabbix.row("httptest")["steps"][0]["required"]
    assert required.startswith(r"a\.ba\.b")
    assert 250 < len(required) <= 255


def test_second_time_nothing_is_changed(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    first = backend.ensure_monitors([FIRST])
    zabbix.calls.clear()
    assert backend.ensure_monitors([FIRST]) == first
    assert {call.split(".")[1] for call in zabbix.calls} == {"get"}


def test_thousand_endpoints_take_at_most_twenty_calls(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([replace(spec, checks=(WMS,)) for spec in many(1000)])
    assert len(zabbix.tables["httptest"]) == len(zabbix.tables["trigger"]) == 1000
    assert len(zabbix.calls) <= 20
    zabbix.calls.clear()
    backend.read_states(many(1000))
    assert len(zabbix.calls) == 2


def test_only_what_differs_is_changed(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    step = zabbix.row("httptest", name="wms")["steps"][0]["httpstepid"]
    zabbix.calls.clear()
    moved = replace(WMS, url="https://maps.example/ows")
    backend.ensure_monitors([replace(FIRST, checks=(moved, CSW), tags={**TAGS, "release": "1.1"}, promise=99.9)])
    changes = [call for call in zabbix.calls if not call.endswith(".get")]
    assert changes == ["host.update", "httptest.update", "trigger.update", "service.update", "sla.update"]
    changed = zabbix.row("httptest", name="wms")["steps"][0]
    assert (changed["url"], changed["httpstepid"]) == ("https://maps.example/ows", step)
    assert zabbix.row("sla")["slo"] == "99.9"


def test_check_that_is_gone_is_watched_no_more_but_a_hand_made_one_is(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    backend.ensure_monitors([FIRST])
    theirs = {**zabbix.row("httptest", name="csw"), "httptestid": "900", "name": "by hand", "tags": []}
    zabbix.tables["httptest"]["900"] = theirs
    backend.ensure_monitors([replace(FIRST, checks=(WMS,))])
    assert {test["name"] for test in zabbix.tables["httptest"].values()} == {"wms", "by hand"}
    assert len(zabbix.tables["trigger"]) == 1


@pytest.mark.parametrize("mark", ["name", "tag"])
def test_host_made_by_hand_is_adopted_with_what_is_theirs(
    zabbix: FakeZabbix, backend: ZabbixBackend, mark: str
) -> None:
    zabbix.tables["hostgroup"]["800"] = {"groupid": "800", "name": "Customers"}
    theirs = {"tag": "rack", "value": "7"}
    tags = [theirs] if mark == "name" else [theirs, {"tag": "live", "value": KEY}]
    macros = [{"hostmacroid": "5", "macro": "{$THEIRS}"}]
    by_hand = host_of(KEY if mark == "name" else "merholm", groups=[{"groupid": "800"}], tags=tags, macros=macros)
    zabbix.tables["host"]["700"] = {**by_hand, "hostid": "700"}
    assert backend.ensure_monitors([FIRST]) == {KEY: Registered(outside_id="700")}
    host = zabbix.row("host")
    assert host["host"] == KEY
    assert theirs in host["tags"]
    assert {group["groupid"] for group in host["groups"]} == {
        "800",
        zabbix.row("hostgroup", name="Geocat Live/sdi-lite")["groupid"],
    }
    assert host["macros"][0] == {"hostmacroid": "5"}


def test_two_hosts_of_one_tag_are_named_and_hold_nobody_else_back(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    for number in ("701", "702"):
        by_hand = host_of(f"copy-{number}", tags=[{"tag": "live", "value": KEY}])
        zabbix.tables["host"][number] = {**by_hand, "hostid": number}
    (other,) = many(1)
    answers = backend.ensure_monitors([FIRST, other])
    assert isinstance(answers[KEY], PermanentError)
    assert "copy-701 and copy-702" in str(answers[KEY])
    assert isinstance(answers[other.key], Registered)
    assert "copy-701 and copy-702" in str(backend.remove_monitors([KEY])[KEY])
    assert {"701", "702"} <= set(zabbix.tables["host"])


def test_host_deleted_behind_our_back_is_seen_and_made_again(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    first = backend.ensure_monitors([FIRST])
    zabbix.tables["host"].clear()
    zabbix.tables["httptest"].clear()
    zabbix.tables["trigger"].clear()
    assert backend.read_states([FIRST]) == {}
    assert backend.ensure_monitors([FIRST])[KEY] != first[KEY]
    assert len(zabbix.tables["httptest"]) == 2
    assert len(zabbix.tables["service"]) == 1


def test_host_that_another_worker_made_meanwhile_is_looked_at_again(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    def made_meanwhile(params: dict[str, str]) -> str:
        zabbix.refuse.clear()
        zabbix._add("host", params)
        return f'Host with the same name "{params["host"]}" already exists.'

    zabbix.refuse["host.create"] = made_meanwhile
    answers = backend.ensure_monitors([FIRST])
    assert answers == {KEY: Registered(outside_id=zabbix.row("host")["hostid"])}


def test_group_that_another_worker_made_meanwhile_is_looked_at_again(
    zabbix: FakeZabbix, backend: ZabbixBackend
) -> None:
    def made_meanwhile(params: dict[str, str]) -> str:
        zabbix.refuse.clear()
        zabbix._add("hostgroup", params)
        return f'Host group "{params["name"]}" already exists.'

    zabbix.refuse["hostgroup.create"] = made_meanwhile
    assert isinstance(backend.ensure_monitors([FIRST])[KEY], Registered)


def test_one_that_zabbix_will_not_have_holds_no_other_back(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    specs = many(20)
    bad = specs[13].key
    zabbix.refuse["host.create"] = lambda params: (
        "Incorrect characters used for host name." if params["host"] == bad else ""
    )
    answers = backend.ensure_monitors(specs)
    assert {key for key, answer in answers.items() if not isinstance(answer, Registered)} == {bad}
    assert str(answers[bad]) == "Zabbix: Incorrect characters used for host name."
    assert len(zabbix.tables["host"]) == 19
    assert len(zabbix.tables["httptest"]) == 38


def test_account_that_may_not_make_groups_holds_up_one_product_only(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    zabbix.refuse["hostgroup.create"] = lambda _: 'No permissions to call "hostgroup.create".'
    new = replace(many(1)[0], tags={**TAGS, "product": "new"})
    answers = backend.ensure_monitors([FIRST, new])
    assert isinstance(answers[KEY], Registered)
    assert isinstance(answers[new.key], ConfigError)
    assert "Make the host group 'Geocat Live/new' by hand" in str(answers[new.key])


def test_what_is_no_web_address_is_refused_before_zabbix_is_asked(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    bad = replace(FIRST, checks=(CheckSpec(key="db", name="PostGIS", url="db:5432"),))
    assert str(backend.ensure_monitors([bad])[KEY]) == "PostGIS: 'db:5432' is not a web address"
    assert zabbix.calls == []


def test_paused_host_gives_no_reading_and_wakes_when_ensured(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    assert backend.pause_monitors([KEY]) == {}
    assert zabbix.row("host")["status"] == "1"
    assert backend.read_states([FIRST]) == {KEY: {}}
    backend.ensure_monitors([FIRST])
    assert zabbix.row("host")["status"] == "0"


def test_readings_say_how_it_is_when_and_why(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    zabbix.down[(KEY, "csw")] = 'response code "503" did not match'
    at = datetime.fromtimestamp(NOW, UTC)
    assert backend.read_states([FIRST]) == {
        KEY: {
            "wms": Reading(health=Health.UP, at=at, seconds=0.042),
            "csw": Reading(health=Health.DOWN, at=at, failure=failure_of_text('response code "503" did not match')),
        }
    }


def test_host_that_an_action_holds_is_told_with_what_to_do(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    other = many(1)[0]
    backend.ensure_monitors([FIRST, other])
    hostid = zabbix.row("host", host=KEY)["hostid"]
    texts = f'Cannot delete host "{KEY}" because it is used in action "Page the night shift".'
    zabbix.refuse["host.delete"] = lambda params: texts if params == hostid else ""
    refused = backend.remove_monitors([FIRST.key, other.key])
    assert set(refused) == {KEY}
    assert "Page the night shift" in str(refused[KEY])
    assert "action's conditions" in str(refused[KEY])
    assert backend.left_behind([FIRST.key, other.key]) == {
        KEY: [MonitorLeftBehind(kind="host", name=KEY), MonitorLeftBehind(kind="service", name="GL1111 Merholm")]
    }


def test_removal_takes_everything_but_the_promise_of_the_plan(zabbix: FakeZabbix, backend: ZabbixBackend) -> None:
    backend.ensure_monitors([FIRST])
    assert backend.remove_monitors([KEY]) == {}
    assert [kind for kind, rows in zabbix.tables.items() if rows] == ["hostgroup", "sla"]
    assert backend.remove_monitors([KEY]) == {}
