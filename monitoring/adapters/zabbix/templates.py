"""The templates of hosts that have an agent: linked where Zabbix has them, and only ours are taken off again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitoring.adapters.zabbix.bulk import Bulk, Wish
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.contracts.backend import MonitorSpec

NAMES = ("Linux by Zabbix agent", "Docker by Zabbix agent 2")
OURS = "live-template"
"""The tag that says which templates of a host we have linked."""

Tags = list[dict[str, str]]
Host = tuple[str, Tags, Sequence[Found]]
"""Its id, its tags, and the templates that it is linked to."""


def unlink(bulk: Bulk, specs: Sequence[MonitorSpec], found: Mapping[str, Sequence[Found]]) -> dict[str, list[Found]]:
    """Hosts whose server has no agent any more carry no template of ours; the hosts as they are then."""
    now = {key: list(hosts) for key, hosts in found.items()}
    wishes = []
    for spec in specs:
        if spec.agent_address or len(hosts := now.get(spec.key, [])) != 1 or not (ours := _linked_by_us(hosts[0])):
            continue
        tags = [_plain(tag) for tag in hosts[0]["tags"] if tag["tag"] != OURS]
        gone = [
            {"templateid": template["templateid"]}
            for template in hosts[0]["parentTemplates"]
            if template["name"] in ours
        ]
        params = {"hostid": hosts[0]["hostid"], "tags": tags} | ({"templates_clear": gone} if gone else {})
        wishes.append(Wish(key=spec.key, params=params))
        now[spec.key] = [{**hosts[0], "tags": tags}]
    bulk.send("host.update", wishes)
    return now


def templates_of(client: ZabbixClient) -> dict[str, str]:
    """The ids of those of our templates that this Zabbix has, and lets us read."""
    shape = {"output": ["templateid", "name"], "filter": {"name": list(NAMES)}}
    return {template["name"]: template["templateid"] for template in client.call("template.get", shape)}


def missing(available: Mapping[str, str]) -> str:
    """What staff should know of the templates that are not there."""
    absent = " and ".join(f"'{name}'" for name in NAMES if name not in available)
    return f"Zabbix has no template {absent} that this account may read" if absent else ""


def link(
    bulk: Bulk,
    specs: Sequence[MonitorSpec],
    available: Mapping[str, str],
    hosts: Mapping[str, Host],
) -> None:
    """Hosts whose server has an agent carry every template that is known, beside their own."""
    wishes = []
    for spec in specs:
        hostid, tags, linked = hosts[spec.key]
        linked_ids = {template["templateid"] for template in linked}
        if not (absent := [name for name, templateid in available.items() if templateid not in linked_ids]):
            continue
        templates = [{"templateid": template} for template in [*linked_ids, *(available[name] for name in absent)]]
        marks = [{"tag": OURS, "value": name} for name in absent]
        wishes.append(Wish(key=spec.key, params={"hostid": hostid, "templates": templates, "tags": tags + marks}))
    bulk.send("host.update", wishes)


def _linked_by_us(host: Found) -> set[str]:
    return {tag["value"] for tag in host["tags"] if tag["tag"] == OURS}


def _plain(tag: Mapping[str, str]) -> dict[str, str]:
    return {"tag": tag["tag"], "value": tag["value"]}
