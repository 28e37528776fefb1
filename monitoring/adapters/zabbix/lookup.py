"""What of ours stands in Zabbix: one call of each kind for any number of monitors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import PermanentError
from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.client import ZabbixClient

Found = Mapping[str, Any]


def hosts_of(client: ZabbixClient, keys: Sequence[str]) -> dict[str, list[Found]]:
    """The hosts that carry each key, as their technical name or in our tag; keys without a host are left out."""
    if not keys:
        return {}
    groups = "selectHostGroups" if _release(client) >= (6, 2) else "selectGroups"
    shape = {
        "output": ["hostid", "host", "name", "status"],
        "selectTags": ["tag", "value"],
        "selectMacros": ["hostmacroid", "macro"],
        "selectInterfaces": "extend",
        "selectParentTemplates": ["templateid", "name"],
        groups: ["groupid", "name"],
    }
    named = client.call("host.get", {**shape, "filter": {"host": list(keys)}})
    tagged = client.call("host.get", {**shape, **_tagged(keys)})
    found: dict[str, dict[str, Found]] = defaultdict(dict)
    for host in named:
        found[host["host"]][host["hostid"]] = _with_groups(host)
    for host in tagged:
        for key in set(_our_keys(host)) & set(keys):
            found[key][host["hostid"]] = _with_groups(host)
    return {key: list(hosts.values()) for key, hosts in found.items()}


def refuse_doubles(found: Mapping[str, Sequence[Found]]) -> dict[str, PermanentError]:
    """Why a key cannot be acted on: more than one host carries it, and only a person knows which is meant."""
    return {
        key: PermanentError(
            f"Two hosts in Zabbix carry {key}: {' and '.join(sorted(host['host'] for host in hosts))}. "
            f"Take the tag '{objects.OURS}' from all but one"
        )
        for key, hosts in found.items()
        if len(hosts) > 1
    }


def services_of(client: ZabbixClient, keys: Sequence[str]) -> dict[str, list[Found]]:
    """The services that carry each key in our tag."""
    if not keys:
        return {}
    shape = {"output": "extend", "selectTags": "extend", "selectProblemTags": "extend"}
    found: dict[str, list[Found]] = defaultdict(list)
    for service in client.call("service.get", {**shape, **_tagged(keys)}):
        for key in set(_our_keys(service)) & set(keys):
            found[key].append(service)
    return found


def scenarios_of(client: ZabbixClient, hostids: Sequence[str]) -> dict[str, list[Found]]:
    """The web scenarios by host."""
    if not hostids:
        return {}
    shape = {"output": "extend", "selectSteps": "extend", "selectTags": "extend"}
    return _by_host(
        (scenario["hostid"], scenario) for scenario in client.call("httptest.get", {**shape, "hostids": list(hostids)})
    )


def triggers_of(client: ZabbixClient, hostids: Sequence[str]) -> dict[str, list[Found]]:
    """The triggers by host, without the many that templates and discovery give it."""
    if not hostids:
        return {}
    shape = {
        "output": "extend",
        "selectTags": "extend",
        "selectHosts": ["hostid"],
        "expandExpression": True,
        "inherited": False,
        "filter": {"flags": "0"},
    }
    triggers = client.call("trigger.get", {**shape, "hostids": list(hostids)})
    return _by_host((host["hostid"], trigger) for trigger in triggers for host in trigger["hosts"])


def tag_of(found: Found, tag: str) -> str:
    """The value of a tag of something found; empty without it."""
    return next((str(trigger["value"]) for trigger in found["tags"] if trigger["tag"] == tag), "")


def _by_host(pairs: Iterable[tuple[str, Found]]) -> dict[str, list[Found]]:
    found: dict[str, list[Found]] = defaultdict(list)
    for hostid, trigger in pairs:
        found[hostid].append(trigger)
    return found


def _tagged(keys: Sequence[str]) -> dict[str, Any]:
    """Any of the keys, exactly."""
    return {"evaltype": 2, "tags": [{"tag": objects.OURS, "value": key, "operator": 1} for key in keys]}


def _our_keys(found: Found) -> list[str]:
    return [tag["value"] for tag in found["tags"] if tag["tag"] == objects.OURS]


def _with_groups(host: Found) -> Found:
    return {**host, "groups": host.get("hostgroups", host.get("groups", []))}


def _release(client: ZabbixClient) -> tuple[int, ...]:
    return tuple(int(part) for part in client.version.split(".")[:2] if part.isdigit())
