"""Trouble with a real Zabbix: the order's life goes on, monitoring heals by itself, and staff see why it had to.

The servers are shared, so it is the door before them that misbehaves.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from core import clock
from monitoring.adapters.zabbix.backend import ZabbixBackend
from monitoring.models import Outage
from monitoring.monitors.services import reregister_monitors, retry_monitor, retry_refused_monitors
from orders.choices import Part, PartState, State
from orders.services import remove_order, suspend_order
from tests.lab.faulty import Door, door_before
from tests.lab.monitored_order import MonitoredOrder, forget_product, monitored_by
from tests.lab.zabbix import VERSIONS, serving, zabbix

pytestmark = [pytest.mark.lab, pytest.mark.django_db(transaction=True)]

# What the door does, and what staff read of it.
FAULTS = {
    "silent": "Zabbix did not answer in time",
    "hangs up": "Zabbix at {where} cannot be reached: the connection was closed",
    "page": "Zabbix answered with a page instead of JSON; is it ZABBIX_URL that is wrong?",
    "nonsense": "Zabbix answered something that is no JSON-RPC",
    "half": "Zabbix cannot be reached: the connection was closed",
    "lost reply": "Zabbix at {where} cannot be reached: the connection was closed",
    "ends sessions": "Zabbix has ended the session",
    "429": "Zabbix answered HTTP 429",
    "500": "Zabbix answered HTTP 500",
    "503": "Zabbix answered HTTP 503",
}
ONE_OF_EACH = {"host": 1, "httptest": 1, "trigger": 1, "service": 1}


@pytest.fixture(params=list(VERSIONS))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def admin(version: str, socket_enabled: None) -> ZabbixBackend:
    """The same Zabbix by its front door, for whoever works there by hand."""
    return zabbix(version)


@pytest.fixture
def door(admin: ZabbixBackend) -> Iterator[Door]:
    with door_before(admin.client.url) as door:
        yield door


@pytest.fixture
def life(admin: ZabbixBackend, door: Door, monkeypatch: pytest.MonkeyPatch) -> Iterator[MonitoredOrder]:
    """An order that is about to be registered through the door."""
    backend = ZabbixBackend(
        url=door.url,
        user=os.environ["LAB_ZABBIX_USER"],
        password=os.environ["LAB_ZABBIX_PASSWORD"],
        timeout=2,
        interval="2s",
    )
    with serving() as address:
        life = monitored_by(backend, address, monkeypatch)
        yield life
        admin.remove_monitors([life.order.key])
        forget_product(admin, life.order)


def counted(life: MonitoredOrder, admin: ZabbixBackend) -> dict[str, int]:
    """How many objects of each kind stand in Zabbix."""
    present = MonitoredOrder(backend=admin, address=life.address, order=life.order).rows_in_zabbix()
    return {kind: len(present[kind]) for kind in ONE_OF_EACH}


def registered(life: MonitoredOrder) -> None:
    life.until(lambda: life.part_state()[0] == PartState.READY, "registered")


def read_once(life: MonitoredOrder) -> None:
    registered(life)
    life.until(lambda: life.monitor.state == "up", "first reading")


def said_of(fault: str, door: Door) -> str:
    """What staff read while the door has this fault."""
    return FAULTS[fault].format(where=f"127.0.0.1:{door.port}")


def test_order_arrives_while_zabbix_is_in_trouble_and_is_registered_afterwards(
    life: MonitoredOrder, door: Door, admin: ZabbixBackend
) -> None:
    for fault in FAULTS:
        door.fault = fault
        life.soon()
        life.beat()
        assert (life.order.state, life.order.reason) == (State.ACTIVE, "Running; monitoring pending."), fault
        assert not life.order.needs_attention
        assert life.part_state() == (PartState.WORKING, said_of(fault, door))
        assert life.monitor.last_error == said_of(fault, door)
        assert life.monitor.next_attempt_at is not None
    door.fault = "open"
    life.soon()
    life.beat()
    assert life.part_state() == (PartState.READY, "1 check registered.")
    assert life.order.reason == "Running; all checks passed."
    assert counted(life, admin) == ONE_OF_EACH


def test_reply_lost_at_any_call_of_a_registration_leaves_one_of_each(
    life: MonitoredOrder, door: Door, admin: ZabbixBackend
) -> None:
    """Made, and never told: whatever stands is found again."""
    life.backend.test_connection()  # signed in, so that every call to come is one of the registration
    for lost in range(20):
        door.fault, door.lose_after = "open", lost
        life.soon()
        life.beat()
        if life.part_state()[0] == PartState.READY:
            break
        assert life.part_state() == (PartState.WORKING, said_of("lost reply", door))
    assert lost > 5
    assert counted(life, admin) == ONE_OF_EACH


def test_readings_that_fail_change_nothing_until_too_much_time_has_passed(
    life: MonitoredOrder, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_once(life)
    for fault in FAULTS:
        door.fault = fault
        life.beat()
        assert life.monitor.read_error == said_of(fault, door)
        assert (life.monitor.state, life.order.state) == ("up", State.ACTIVE)
    with monkeypatch.context() as later:
        moment = clock.now() + timedelta(minutes=6)
        later.setattr(clock, "now", lambda: moment)
        life.beat()
        assert life.monitor.state == "unknown"
        life.beat()
        assert life.part_state()[0] == PartState.WORKING
        assert FAULTS["503"] in life.part_state()[1]
        assert (life.order.state, life.order.reason) == (State.ACTIVE, "Running; monitoring pending.")
    door.fault = "open"
    life.until(lambda: life.monitor.state == "up", "healed")
    assert life.monitor.read_error == ""
    assert life.part_state() == (PartState.READY, "1 check registered.")
    assert not Outage.objects.exists()


def test_session_ended_in_the_middle_is_renewed_without_a_word(life: MonitoredOrder) -> None:
    registered(life)
    life.backend.client.call("user.logout", [])
    life.beat()
    assert life.monitor.read_error == ""
    assert life.monitor.last_error == ""
    assert life.order.state == State.ACTIVE


def test_web_server_that_refuses_us_needs_a_person_and_nothing_else(
    life: MonitoredOrder, door: Door, admin: ZabbixBackend
) -> None:
    door.fault = "401"
    life.beat()
    assert life.part_state() == (PartState.FAILED, "Zabbix's web server refuses us: HTTP 401")
    assert (life.order.state, life.order.needs_attention) == (State.ACTIVE, True)
    assert life.order.reason == "Running, but Monitoring needs attention: Zabbix's web server refuses us: HTTP 401"
    door.fault = "open"
    retry_monitor(monitor=life.monitor)
    life.beat()
    assert life.part_state()[0] == PartState.READY
    assert not life.order.needs_attention
    assert counted(life, admin) == ONE_OF_EACH


@pytest.mark.parametrize("kind", list(ONE_OF_EACH))
def test_whatever_is_deleted_behind_our_back_is_made_again(
    life: MonitoredOrder, admin: ZabbixBackend, kind: str
) -> None:
    registered(life)
    admin.client.call(f"{kind}.delete", life.rows_in_zabbix()[kind])
    assert counted(life, admin) != ONE_OF_EACH
    reregister_monitors()
    life.beat()
    assert counted(life, admin) == ONE_OF_EACH
    assert life.order.state == State.ACTIVE
    assert life.part_state() == (PartState.READY, "1 check registered.")
    assert [life.monitor.outside_id] == life.rows_in_zabbix()["host"]


def test_reading_notices_at_once_what_gives_no_values_any_more(life: MonitoredOrder, admin: ZabbixBackend) -> None:
    read_once(life)
    (host,) = life.rows_in_zabbix()["host"]
    admin.client.call("host.update", {"hostid": host, "status": "1"})
    asked = {"output": ["status"], "hostids": [host]}
    life.until(lambda: admin.client.call("host.get", asked)[0]["status"] == "0", "enabled again", 20)
    for kind in ("httptest", "host"):
        admin.client.call(f"{kind}.delete", life.rows_in_zabbix()[kind])
        life.until(lambda: counted(life, admin) == ONE_OF_EACH, f"{kind} made again", 20)
    life.until(lambda: life.part_state() == (PartState.READY, "1 check registered."), "registered again")
    assert life.order.state == State.ACTIVE


def by_hand(admin: ZabbixBackend, life: MonitoredOrder, name: str) -> str:
    """A host that somebody made, or cloned, with our tag."""
    group = admin.client.call("hostgroup.get", {"limit": 1})[0]["groupid"]
    tags = [{"tag": "live", "value": life.order.key}]
    made = admin.client.call("host.create", [{"host": name, "groups": [{"groupid": group}], "tags": tags}])
    return str(made["hostids"][0])


def test_host_made_by_hand_is_adopted(life: MonitoredOrder, admin: ZabbixBackend) -> None:
    theirs = by_hand(admin, life, f"{life.order.key}-of-ours")
    registered(life)
    assert life.monitor.outside_id == theirs
    assert counted(life, admin) == ONE_OF_EACH


def test_two_hosts_of_one_tag_are_named_and_left_alone_until_one_is_gone(
    life: MonitoredOrder, admin: ZabbixBackend
) -> None:
    key = life.order.key
    hosts = [by_hand(admin, life, f"{key}-{name}") for name in ("one", "two")]
    try:
        life.beat()
        assert life.part_state()[0] == PartState.FAILED
        assert f"Two hosts in Zabbix carry {key}: {key}-one and {key}-two." in life.part_state()[1]
        assert "Take the tag 'live' from all but one" in life.order.reason
        assert (life.order.state, life.order.needs_attention) == (State.ACTIVE, True)
        admin.client.call("host.delete", [hosts.pop()])
        retry_refused_monitors()
        registered(life)
        assert life.monitor.outside_id == hosts[0]
        assert not life.order.needs_attention
    finally:
        still = admin.client.call("host.get", {"output": ["hostid"], "hostids": hosts})
        admin.client.call("host.delete", [row["hostid"] for row in still])


def test_clone_of_a_host_holds_up_its_removal_until_somebody_has_chosen(
    life: MonitoredOrder, admin: ZabbixBackend
) -> None:
    registered(life)
    clone = by_hand(admin, life, f"{life.order.key}-clone")
    try:
        remove_order(order=life.order)
        life.beat()
        assert life.order.state == State.ATTENTION
        assert f"{life.order.key}-clone" in life.order.reason
        assert counted(life, admin)["host"] == 1
    finally:
        admin.client.call("host.delete", [clone])
    retry_monitor(monitor=life.monitor)
    life.until(lambda: life.part_state()[0] == PartState.REMOVED, "deregistered")
    assert counted(life, admin) == dict.fromkeys(ONE_OF_EACH, 0)


def test_removal_waits_for_zabbix_and_then_leaves_nothing(
    life: MonitoredOrder, door: Door, admin: ZabbixBackend
) -> None:
    registered(life)
    remove_order(order=life.order)
    for fault in ("hangs up", "503", "lost reply"):
        door.fault = fault
        life.soon()
        life.beat()
        assert life.part_state() == (PartState.WORKING, said_of(fault, door))
        assert life.order.state == State.REMOVING
        assert life.order.parts.get(part=Part.COMPOSITION).state == PartState.READY
    door.fault = "open"
    life.soon()
    life.beat()
    assert life.part_state()[0] == PartState.REMOVED
    assert counted(life, admin) == dict.fromkeys(ONE_OF_EACH, 0)


def test_suspension_waits_for_nobody(life: MonitoredOrder, door: Door, admin: ZabbixBackend) -> None:
    registered(life)
    door.fault = "silent"
    suspend_order(order=life.order)
    life.beat()
    life.report_below(PartState.SUSPENDED)
    life.order.refresh_from_db()
    assert life.order.state == State.SUSPENDED
    assert life.part_state() == (PartState.WORKING, FAULTS["silent"])
    door.fault = "open"
    life.soon()
    life.beat()
    assert life.part_state()[0] == PartState.SUSPENDED
    asked = {"output": ["status"], "filter": {"host": [life.order.key]}}
    assert admin.client.call("host.get", asked)[0]["status"] == "1"


@pytest.fixture
def lesser(admin: ZabbixBackend) -> Iterator[dict[str, Any]]:
    """An account of the role Admin that may write to no group yet."""
    name, password = f"lab-{uuid4().hex[:8]}", f"Aa1-{uuid4().hex}"
    call = admin.client.call
    (group,) = call("usergroup.create", {"name": name})["usrgrpids"]
    user = {"username": name, "passwd": password, "roleid": "2", "usrgrps": [{"usrgrpid": group}]}
    (made,) = call("user.create", user)["userids"]
    yield {"name": name, "password": password, "group": group}
    call("user.delete", [made])
    call("usergroup.delete", [group])


def test_account_that_may_not_make_groups_says_what_to_make_by_hand(
    life: MonitoredOrder, door: Door, admin: ZabbixBackend, lesser: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = ZabbixBackend(url=door.url, user=lesser["name"], password=lesser["password"], timeout=10, interval="2s")
    monkeypatch.setattr("monitoring.backends.get_backend", lambda: backend)
    product = f"Geocat Live/{life.order.release.product.slug}"
    life.beat()
    assert life.part_state()[0] == PartState.FAILED
    assert f"Make the host group '{product}' by hand, and let this account write to it" in life.part_state()[1]
    assert (life.order.state, life.order.needs_attention) == (State.ACTIVE, True)
    assert lesser["password"] not in life.part_state()[1]

    (group,) = admin.client.call("hostgroup.create", {"name": product})["groupids"]
    rights = "rights" if admin.client.version.startswith("6.0") else "hostgroup_rights"
    change = {"usrgrpid": lesser["group"], rights: [{"id": group, "permission": 3}]}
    admin.client.call("usergroup.update", change)
    retry_monitor(monitor=life.monitor)
    registered(life)
    assert counted(life, admin) == ONE_OF_EACH


def test_account_that_is_locked_out_says_so(
    life: MonitoredOrder, door: Door, lesser: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = ZabbixBackend(url=door.url, user=lesser["name"], password="no longer right", timeout=10)
    monkeypatch.setattr("monitoring.backends.get_backend", lambda: backend)
    life.beat()
    assert life.part_state()[0] == PartState.FAILED
    assert life.part_state()[1].startswith("Zabbix refuses this account:")
    assert "no longer right" not in life.part_state()[1]
    assert life.order.state == State.ACTIVE
