"""Zabbix watches: 6.0 LTS and 7.x, one host per order, everything in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from core.errors import OutsideError, PermanentError
from monitoring.adapters.zabbix import lookup, maintenance, readings
from monitoring.adapters.zabbix.bulk import Bulk, Wish
from monitoring.adapters.zabbix.client import OutOfDate, ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.adapters.zabbix.registration import Registration, Wishes
from monitoring.contracts.backend import MonitorLeftBehind, MonitorSpec, Reading, Registered, WindowSpec


class ZabbixBackend:
    """Keeps the promises of `MonitorBackend` through one Zabbix server; safe to keep for the life of a process."""

    name = "zabbix"
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
        severity: str = "high",
        probe: str = "",
        certificate_interval: str = "1h",
    ) -> None:
        self.client = ZabbixClient(url, token=token, user=user, password=password, timeout=timeout)
        self.address = _without_credentials(url)
        self.wishes = Wishes(
            interval=interval, severity=severity, probe=probe, certificate_interval=certificate_interval
        )

    def test_connection(self) -> str:
        groups = self.client.call("hostgroup.get", {"countOutput": True, "editable": True})
        return f"Zabbix {self.client.version}, {groups} host groups this account may write to"

    def ensure_monitors(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        if not specs:
            return {}
        answers = dict(self._register(specs))
        # Made or deleted by somebody else between our look and our call: a second look knows better.
        again = [spec for spec in specs if isinstance(answers[spec.key], OutOfDate)]
        return answers | dict(self._register(again)) if again else answers

    def pause_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        bulk = Bulk(self.client)
        found = lookup.hosts_of(self.client, keys)
        awake = [(key, host) for key, hosts in found.items() for host in hosts if host["status"] == "0"]
        bulk.send(
            "host.update", [Wish(key=key, params={"hostid": host["hostid"], "status": "1"}) for key, host in awake]
        )
        return _unless_gone(bulk.refused)

    def remove_monitors(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        bulk = Bulk(self.client)
        hosts = lookup.hosts_of(self.client, keys)
        bulk.refused |= lookup.refuse_doubles(hosts)
        going = [item["hostid"] for key, items in hosts.items() if key not in bulk.refused for item in items]
        maintenance.release_hosts(self.client, going)
        bulk.send("host.delete", _deletions(hosts, "hostid"))
        services = lookup.services_of(self.client, [key for key in keys if key not in bulk.refused])
        bulk.send("service.delete", _deletions(services, "serviceid"))
        return {key: _explained(error) for key, error in _unless_gone(bulk.refused).items()}

    def ensure_windows(self, specs: Sequence[WindowSpec]) -> Mapping[str, str | OutsideError]:
        return maintenance.ensure_windows(self.client, specs)

    def remove_windows(self, keys: Sequence[str]) -> Mapping[str, OutsideError]:
        return maintenance.remove_windows(self.client, keys)

    def read_states(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Mapping[str, Reading]]:
        return readings.read_states(self.client, specs)

    def left_behind(self, keys: Sequence[str]) -> Mapping[str, Sequence[MonitorLeftBehind]]:
        hosts, services = lookup.hosts_of(self.client, keys), lookup.services_of(self.client, keys)
        left = {
            key: [MonitorLeftBehind(kind="host", name=host["host"]) for host in hosts.get(key, ())]
            + [MonitorLeftBehind(kind="service", name=service["name"]) for service in services.get(key, ())]
            for key in keys
        }
        return {key: items for key, items in left.items() if items}

    def _register(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        try:
            return Registration(self.client, self.wishes).register(specs)
        except OutOfDate as error:
            return {spec.key: error for spec in specs}


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])).rstrip("/")


def _deletions(found: Mapping[str, Iterable[Found]], id_name: str) -> list[Wish]:
    return [Wish(key=key, params=item[id_name]) for key, items in found.items() for item in items]


def _unless_gone(refused: Mapping[str, PermanentError]) -> dict[str, OutsideError]:
    """Who is told that something does not exist, and wanted it away, has what was wanted; the next look will tell."""
    return {key: error for key, error in refused.items() if not isinstance(error, OutOfDate)}


def _explained(error: OutsideError) -> OutsideError:
    """Since Zabbix 7.2.4 a host that an action names cannot be deleted: https://support.zabbix.com/browse/ZBX-23760"""
    if "action" not in str(error).lower():
        return maintenance.explained(error)
    return PermanentError(f"{error} Take the host out of that action's conditions and operations, then try again")
