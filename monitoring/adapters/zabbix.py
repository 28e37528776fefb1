"""Zabbix watches: 6.0 LTS and 7.x, one host per order, everything in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from live.lib.errors import OutsideError, PermanentError
from monitoring.adapters import zabbix_lookup as lookup
from monitoring.adapters import zabbix_words as words
from monitoring.adapters.words import CheckSpec, Health, LeftBehind, MonitorSpec, Seen
from monitoring.adapters.zabbix_bulk import Bulk, Wish
from monitoring.adapters.zabbix_lookup import Found
from monitoring.adapters.zabbix_register import Registration
from monitoring.adapters.zabbix_wire import OutOfDate, Wire


class ZabbixWatch:
    """Keeps the promises of `Watch` through one Zabbix server; safe to keep for the life of a process."""

    backend = "zabbix"
    page = 5000

    def __init__(
        self,
        *,
        url: str,
        token: str = "",
        user: str = "",
        password: str = "",
        timeout: float = 60.0,
        interval: str = "1m",
    ) -> None:
        self.wire = Wire(url, token=token, user=user, password=password, timeout=timeout)
        self.interval = interval

    def test_connection(self) -> str:
        groups = self.wire.call("hostgroup.get", {"countOutput": True, "editable": True})
        return f"Zabbix {self.wire.version}, {groups} host groups this account may write to"

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, str | OutsideError]:
        if not specs:
            return {}
        answers = dict(self._register(specs))
        # Made or deleted by somebody else between our look and our call: a second look knows better.
        again = [spec for spec in specs if isinstance(answers[spec.key], OutOfDate)]
        return answers | dict(self._register(again)) if again else answers

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        bulk = Bulk(self.wire)
        found = lookup.hosts_of(self.wire, keys)
        awake = [(key, host) for key, hosts in found.items() for host in hosts if host["status"] == "0"]
        bulk.send(
            "host.update", [Wish(key=key, params={"hostid": host["hostid"], "status": "1"}) for key, host in awake]
        )
        return _unless_gone(bulk.refused)

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        bulk = Bulk(self.wire)
        hosts = lookup.hosts_of(self.wire, keys)
        bulk.refused |= lookup.refuse_doubles(hosts)
        bulk.send("host.delete", _deletions(hosts, "hostid"))
        services = lookup.services_of(self.wire, [key for key in keys if key not in bulk.refused])
        bulk.send("service.delete", _deletions(services, "serviceid"))
        return {key: _explained(error) for key, error in _unless_gone(bulk.refused).items()}

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Seen]]:
        if not specs:
            return {}
        shape = {"output": ["hostid", "host", "status"], "filter": {"host": [spec.key for spec in specs]}}
        hosts = {host["host"]: host for host in self.wire.call("host.get", shape)}
        awake = [host["hostid"] for host in hosts.values() if host["status"] == "0"]
        items = self._items(awake, ("web.test.fail[", "web.test.time["))
        failing = sorted({hostid for (hostid, _key), item in items.items() if _fails(item)})
        items |= self._items(failing, ("web.test.error[",))
        return {
            spec.key: {check.key: seen for check in spec.checks if (seen := _seen(items, hosts[spec.key], check))}
            for spec in specs
            if spec.key in hosts
        }

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[LeftBehind]]:
        hosts, services = lookup.hosts_of(self.wire, keys), lookup.services_of(self.wire, keys)
        left = {
            key: [LeftBehind(kind="host", name=host["host"]) for host in hosts.get(key, ())]
            + [LeftBehind(kind="service", name=service["name"]) for service in services.get(key, ())]
            for key in keys
        }
        return {key: some for key, some in left.items() if some}

    def _register(self, specs: Sequence[MonitorSpec]) -> Mapping[str, str | OutsideError]:
        try:
            return Registration(self.wire, interval=self.interval).register(specs)
        except OutOfDate as error:
            return {spec.key: error for spec in specs}

    def _items(self, hostids: Sequence[str], beginnings: tuple[str, ...]) -> dict[tuple[str, str], Found]:
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
        return {(item["hostid"], item["key_"]): item for item in self.wire.call("item.get", shape)}


def _seen(items: Mapping[tuple[str, str], Found], host: Found, check: CheckSpec) -> Seen | None:
    """The last reading of a check; none while it is paused or has given nothing yet."""
    fail = items.get((host["hostid"], words.item_key("fail", check)))
    if fail is None or not int(fail["lastclock"]):
        return None
    at = datetime.fromtimestamp(int(fail["lastclock"]), UTC)
    if fail["state"] == "1":
        return Seen(health=Health.UNKNOWN, at=at, message=fail["error"][:300])
    if _fails(fail):
        why = items.get((host["hostid"], words.item_key("error", check)), {}).get("lastvalue", "")
        return Seen(health=Health.DOWN, at=at, message=why[:300] or "did not answer as promised")
    took = items.get((host["hostid"], words.time_key(check)), {}).get("lastvalue") or 0
    return Seen(health=Health.UP, at=at, message=f"answered {check.status}", seconds=round(float(took), 3))


def _fails(item: Found) -> bool:
    return item["key_"].startswith("web.test.fail[") and item["lastvalue"] not in ("", "0")


def _deletions(found: Mapping[str, Iterable[Found]], id_name: str) -> list[Wish]:
    return [Wish(key=key, params=one[id_name]) for key, some in found.items() for one in some]


def _unless_gone(refused: Mapping[str, PermanentError]) -> dict[str, OutsideError]:
    """Who is told that something does not exist, and wanted it away, has what was wanted; the next look will tell."""
    return {key: error for key, error in refused.items() if not isinstance(error, OutOfDate)}


def _explained(error: OutsideError) -> OutsideError:
    """Since Zabbix 7.2.4 a host that an action names cannot be deleted: https://support.zabbix.com/browse/ZBX-23760"""
    if "action" not in str(error).lower():
        return error
    return PermanentError(f"{error} Take the host out of that action's conditions and operations, then try again")
