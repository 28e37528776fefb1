"""What Zabbix last measured of the addresses of many orders, in two or three calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from core.outside.check_failure import LONGEST_DETAIL, CheckFailure, FailureKind
from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.adapters.zabbix_failures import failure_of_text
from monitoring.contracts.backend import CheckSpec, Health, MonitorSpec, Reading


def read_states(client: ZabbixClient, specs: Sequence[MonitorSpec]) -> dict[str, dict[str, Reading]]:
    """The last reading of every check, by monitor key and check key."""
    if not specs:
        return {}
    shape = {"output": ["hostid", "host", "status"], "filter": {"host": [spec.key for spec in specs]}}
    hosts = {host["host"]: host for host in client.call("host.get", shape)}
    awake = [host["hostid"] for host in hosts.values() if host["status"] == "0"]
    items = _items(client, awake, ("web.test.fail[", "web.test.time["))
    failing = sorted({hostid for (hostid, _key), item in items.items() if _fails(item)})
    items |= _items(client, failing, ("web.test.error[",))
    return {
        spec.key: {check.key: reading for check in spec.checks if (reading := _reading(items, hosts[spec.key], check))}
        for spec in specs
        if spec.key in hosts
    }


def _items(client: ZabbixClient, hostids: Sequence[str], beginnings: tuple[str, ...]) -> dict[tuple[str, str], Found]:
    """The items of web scenarios with their last values, by host and key."""
    if not hostids:
        return {}
    shape = {
        "output": ["hostid", "key_", "lastvalue", "lastclock", "state", "error"],
        "hostids": list(hostids),
        "webitems": True,
        "search": {"key_": list(beginnings)},
        "startSearch": True,
        "searchByAny": True,
    }
    return {(item["hostid"], item["key_"]): item for item in client.call("item.get", shape)}


def _reading(items: Mapping[tuple[str, str], Found], host: Found, check: CheckSpec) -> Reading | None:
    """The last reading of a check; none while it is paused or has given nothing yet."""
    fail = items.get((host["hostid"], objects.item_key("fail", check)))
    if fail is None or not int(fail["lastclock"]):
        return None
    at = datetime.fromtimestamp(int(fail["lastclock"]), UTC)
    if fail["state"] == "1":
        failure = CheckFailure(kind=FailureKind.OTHER, detail=fail["error"][:LONGEST_DETAIL])
        return Reading(health=Health.UNKNOWN, at=at, failure=failure)
    if _fails(fail):
        why = items.get((host["hostid"], objects.item_key("error", check)), {}).get("lastvalue", "")
        failure = failure_of_text(why, contains=check.contains, max_seconds=check.max_seconds)
        return Reading(health=Health.DOWN, at=at, failure=failure)
    took = items.get((host["hostid"], objects.time_key(check)), {}).get("lastvalue") or 0
    return Reading(health=Health.UP, at=at, seconds=round(float(took), 3))


def _fails(item: Found) -> bool:
    return item["key_"].startswith("web.test.fail[") and item["lastvalue"] not in ("", "0")
