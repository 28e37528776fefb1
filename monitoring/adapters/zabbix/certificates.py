"""Certificates in Zabbix: asked by an agent 2, kept as a date, with an alarm well before and one when it is over.

https://www.zabbix.com/documentation/7.0/en/manual/config/items/itemtypes/zabbix_agent/zabbix_agent2
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from core.outside.certificate import address_of
from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.bulk import Bulk, Wish
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.interfaces import place_of
from monitoring.adapters.zabbix.lookup import Found, tag_of
from monitoring.contracts.backend import CheckSpec, MonitorSpec

OURS = "certificate"
"""The tag of the items and triggers of ours, with the address whose certificate they are about."""
KIND = "alarm"
INTERVAL, DAYS = "{$LIVE.CERT.INTERVAL}", "{$LIVE.CERT.DAYS}"
WARNING, HIGH = "2", "4"
ASKED, DERIVED = "0", "18"
TEXT, UNSIGNED = "4", "3"

ExistingObjects = Mapping[str, Sequence[Found]]


def key_of(check: CheckSpec) -> str:
    """The key of the item that holds when the check's certificate expires, in seconds; empty where it has none."""
    address = address_of(check.url)
    return _until(*address) if address else ""


def macros(interval: str) -> list[objects.Object]:
    """What whoever runs Zabbix may set differently for a host."""
    return [
        {"macro": INTERVAL, "value": interval, "description": "How often certificates are asked for"},
        {"macro": DAYS, "value": "14", "description": "So many days before a certificate expires there is a warning"},
    ]


def items_of(client: ZabbixClient, hostids: Sequence[str]) -> dict[str, list[Found]]:
    """Our items about certificates, by host."""
    if not hostids:
        return {}
    shape = {
        "output": "extend",
        "selectTags": "extend",
        "selectPreprocessing": "extend",
        "tags": [{"tag": OURS, "operator": 4}],
        "hostids": list(hostids),
    }
    found: dict[str, list[Found]] = defaultdict(list)
    for item in client.call("item.get", shape):
        found[item["hostid"]].append(item)
    return found


def needless(spec: MonitorSpec, items: Sequence[Found], *, probe: str) -> list[str]:
    """The ids of items that ask about addresses the order no longer has; what hangs on them goes with them."""
    wanted = {_name(*address) for address in addresses(spec)} if probe else set()
    return [item["itemid"] for item in items if item["type"] == ASKED and tag_of(item, OURS) not in wanted]


def addresses(spec: MonitorSpec) -> list[tuple[str, int]]:
    """Where the order shows certificates, each address once."""
    return sorted({address for check in spec.checks if (address := address_of(check.url))})


class Certificates:
    """One visit for many specs: an item that asks, one that holds the date, and two alarms for each address."""

    def __init__(self, client: ZabbixClient, bulk: Bulk, *, ids: Mapping[str, str], probe: str) -> None:
        self.client, self.bulk, self.ids, self.probe = client, bulk, ids, probe

    def ensure(self, specs: Sequence[MonitorSpec], items: ExistingObjects, triggers: ExistingObjects) -> None:
        """Every address has its items and alarms; who already has them is not asked for anything."""
        specs = [spec for spec in specs if addresses(spec)]
        masters = self._items(specs, items, self._masters(specs))
        self._items(specs, items, self._dates(specs, masters))
        self._triggers(specs, triggers)

    def _masters(self, specs: Sequence[MonitorSpec]) -> dict[tuple[str, str], objects.Object]:
        hostids = [self.ids[spec.key] for spec in specs]
        shape = {"output": ["interfaceid", "hostid", "useip", "ip", "dns", "port"], "hostids": hostids}
        found = self.client.call("hostinterface.get", shape) if hostids else []
        at = {interface["hostid"]: interface["interfaceid"] for interface in found if place_of(interface) == self.probe}
        return {
            (spec.key, _asking(*address)): _master(address, at.get(self.ids[spec.key], "0"))
            for spec in specs
            for address in addresses(spec)
        }

    def _dates(
        self, specs: Sequence[MonitorSpec], masters: Mapping[tuple[str, str], str]
    ) -> dict[tuple[str, str], objects.Object]:
        return {
            (spec.key, _until(*address)): _date(address, master)
            for spec in specs
            for address in addresses(spec)
            if (master := masters.get((spec.key, _asking(*address))))
        }

    def _items(
        self, specs: Sequence[MonitorSpec], existing: ExistingObjects, wanted: Mapping[tuple[str, str], objects.Object]
    ) -> dict[tuple[str, str], str]:
        """The ids of the wanted items by monitor and key."""
        found = {(spec.key, item["key_"]): item for spec in specs for item in existing.get(self.ids[spec.key], ())}
        creates, updates = [], []
        ids: dict[tuple[str, str], str] = {}
        for (key, name), item in wanted.items():
            if not (old := found.get((key, name))):
                creates.append(Wish(key=key, params={"hostid": self.ids[key], **item}))
                continue
            ids[key, name] = old["itemid"]
            if objects.differs(old, item):
                updates.append(Wish(key=key, params={"itemid": old["itemid"], **item}))
        made = {(wish.key, wish.params["key_"]): itemid for wish, itemid in self.bulk.send("item.create", creates)}
        self.bulk.send("item.update", updates)
        return ids | made

    def _triggers(self, specs: Sequence[MonitorSpec], existing: ExistingObjects) -> None:
        creates, updates = [], []
        for spec, wanted in _alarms(specs):
            mark = _mark(wanted)
            found = (trigger for trigger in existing.get(self.ids[spec.key], ()) if _mark(trigger) == mark)
            if (old := next(found, None)) is None:
                creates.append(Wish(key=spec.key, params=wanted))
                continue
            # Zabbix shows expressions with the values of their macros, so they always differ; the mark says as much.
            same = {name: value for name, value in wanted.items() if name != "expression"}
            if objects.differs(old, same):
                updates.append(Wish(key=spec.key, params={"triggerid": old["triggerid"], **same}))
        self.bulk.send("trigger.create", creates)
        self.bulk.send("trigger.update", updates)


def _name(host: str, port: int) -> str:
    return f"{host}:{port}"


def _asking(host: str, port: int) -> str:
    return f"web.certificate.get[{objects.parameter(host)},{port}]"


def _until(host: str, port: int) -> str:
    return f"live.certificate.until[{objects.parameter(host)},{port}]"


def _master(address: tuple[str, int], interfaceid: str) -> objects.Object:
    """What the agent says of a certificate, as it says it."""
    return {
        "name": f"Certificate of {_name(*address)}"[:255],
        "key_": _asking(*address),
        "type": ASKED,
        "value_type": TEXT,
        "delay": INTERVAL,
        "history": "1d",
        "interfaceid": interfaceid,
        "tags": [{"tag": OURS, "value": _name(*address)}],
    }


def _date(address: tuple[str, int], master: str) -> objects.Object:
    """When it expires, taken from that."""
    taken = {"type": "12", "params": "$.x509.not_after.timestamp", "error_handler": "0", "error_handler_params": ""}
    return {
        "name": f"Certificate of {_name(*address)} expires"[:255],
        "key_": _until(*address),
        "type": DERIVED,
        "value_type": UNSIGNED,
        "units": "unixtime",
        "master_itemid": master,
        "preprocessing": [taken],
        "tags": [{"tag": OURS, "value": _name(*address)}],
    }


def _alarms(specs: Sequence[MonitorSpec]) -> Iterator[tuple[MonitorSpec, objects.Object]]:
    for spec in specs:
        for address in addresses(spec):
            date = f"last(/{spec.key}/{_until(*address)})"
            soon = f"({date}-now())/86400<{DAYS} and {date}>now()"
            says = f"The certificate of {_name(*address)} expires in less than {DAYS} days"
            yield spec, _alarm(address, "soon", says, soon, WARNING)
            says = f"The certificate of {_name(*address)} has expired"
            yield spec, _alarm(address, "over", says, f"{date}<=now()", HIGH)


def _alarm(address: tuple[str, int], kind: str, says: str, expression: str, priority: str) -> objects.Object:
    return {
        "description": says[:255],
        "expression": expression,
        "priority": priority,
        "status": "0",
        "tags": [{"tag": OURS, "value": _name(*address)}, {"tag": KIND, "value": kind}],
    }


def _mark(trigger: Mapping[str, object]) -> tuple[str, str]:
    return tag_of(trigger, OURS), tag_of(trigger, KIND)
