"""Maintenance windows in Zabbix: while one lasts, data is collected and no alarm of its hosts goes out.

https://www.zabbix.com/documentation/7.0/en/manual/api/reference/maintenance/object
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.errors import OutsideError, PermanentError
from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.bulk import Bulk, Wish
from monitoring.adapters.zabbix.client import OutOfDate, ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.contracts.backend import WindowSpec

OURS = "live-window-"
MINUTE = 60
SHORTEST = 5 * MINUTE  # less is no period to Zabbix; the window itself ends in time all the same


def ensure_windows(client: ZabbixClient, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
    """Each window stands over the hosts that there are of its monitors; by key its id, empty while there is none."""
    if not specs:
        return {}
    bulk, ids = Bulk(client), {spec.key: "" for spec in specs}
    found = windows_of(client, [spec.key for spec in specs])
    hosts = _hosts(client, {monitor for spec in specs for monitor in spec.monitors})
    creates, updates, deletes = [], [], []
    for spec in specs:
        existing = found.get(spec.key)
        wanted = _window(spec, [hosts[key] for key in spec.monitors if key in hosts])
        if existing:
            ids[spec.key] = existing["maintenanceid"]
        if not wanted["hosts"]:
            deletes += [Wish(key=spec.key, params=existing["maintenanceid"])] if existing else []
        elif not existing:
            creates.append(Wish(key=spec.key, params=wanted))
        elif objects.differs(existing, wanted):
            updates.append(Wish(key=spec.key, params={"maintenanceid": existing["maintenanceid"], **wanted}))
    ids |= {wish.key: made for wish, made in bulk.send("maintenance.create", creates)}
    bulk.send("maintenance.update", updates)
    ids |= {wish.key: "" for wish, _gone in bulk.send("maintenance.delete", deletes)}
    return {**ids, **bulk.refused}


def remove_windows(client: ZabbixClient, keys: Sequence[str]) -> Mapping[str, OutsideError]:
    """No window carries these keys; in the answer, the keys that were refused."""
    bulk = Bulk(client)
    found = windows_of(client, keys)
    bulk.send("maintenance.delete", [Wish(key=key, params=window["maintenanceid"]) for key, window in found.items()])
    return {key: error for key, error in bulk.refused.items() if not isinstance(error, OutOfDate)}


def windows_of(client: ZabbixClient, keys: Sequence[str]) -> dict[str, Found]:
    """What stands of these windows, by the key in their names."""
    if not keys:
        return {}
    shape = {**_SHAPE, "search": {"name": [_marked(key) for key in keys]}, "searchByAny": True}
    found = {_key_of(window): window for window in client.call("maintenance.get", shape)}
    return {key: found[key] for key in keys if key in found}


def release_hosts(client: ZabbixClient, hostids: Iterable[str]) -> None:
    """No window of ours stands over nothing but hosts that are to go, for Zabbix refuses to empty one that way.

    From the others the hosts go by themselves.
    """
    going = set(hostids)
    if not going:
        return
    status = client.call("maintenance.get", {**_SHAPE, "hostids": sorted(going)})
    only = [window for window in status if _key_of(window) and not {host["hostid"] for host in window["hosts"]} - going]
    bulk = Bulk(client)
    bulk.send(
        "maintenance.delete", [Wish(key=window["maintenanceid"], params=window["maintenanceid"]) for window in only]
    )


def explained(error: OutsideError) -> OutsideError:
    """A window that somebody made by hand, and that has no other host, holds the host."""
    if "must contain at least one host" not in str(error).lower():
        return error
    return PermanentError(f"{error} Delete that maintenance in Zabbix or give it another host, then try again")


_SHAPE = {"output": "extend", "selectHosts": ["hostid"], "selectTimeperiods": "extend"}


def _hosts(client: ZabbixClient, keys: set[str]) -> dict[str, str]:
    shape = {"output": ["hostid", "host"], "filter": {"host": sorted(keys)}}
    return {host["host"]: host["hostid"] for host in client.call("host.get", shape)}


def _window(spec: WindowSpec, hostids: Sequence[str]) -> objects.Object:
    """Zabbix knows no seconds: the window begins a little early and ends a little late."""
    since = int(spec.starts_at.timestamp()) // MINUTE * MINUTE
    till = -(-int(spec.ends_at.timestamp()) // MINUTE) * MINUTE
    period = {"timeperiod_type": "0", "start_date": str(since), "period": str(max(SHORTEST, till - since))}
    return {
        "name": f"{spec.title[: 125 - len(spec.key)]} ({spec.key})",
        "active_since": str(since),
        "active_till": str(till),
        "maintenance_type": "0",
        "description": spec.description,
        "hosts": [{"hostid": hostid} for hostid in hostids],
        "timeperiods": [period],
    }


def _marked(key: str) -> str:
    return f"({key})"


def _key_of(window: Found) -> str:
    """Our key from the end of its name; empty where it is somebody else's."""
    name = str(window["name"])
    start = name.rfind(f"({OURS}")
    return name[start + 1 : -1] if start >= 0 and name.endswith(")") else ""
