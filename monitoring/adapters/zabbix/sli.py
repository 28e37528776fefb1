"""How well Zabbix itself says that promises were kept: one call per plan, for all its orders."""

from __future__ import annotations

from typing import Any

from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import tag_of
from monitoring.adapters.zabbix.problems import ANY_OF_OURS, moment
from monitoring.contracts.history_source import SliReading

PERIODS = 2  # the present one, and the one before


def read_sli(client: ZabbixClient) -> list[SliReading]:
    """What every SLA of ours says of each of its services; periods in which nothing was measured are left out."""
    services = client.call(
        "service.get", {"output": ["serviceid"], "selectTags": ["tag", "value"], "tags": ANY_OF_OURS}
    )
    keys = {service["serviceid"]: tag_of(service, objects.OURS) for service in services}
    plans: dict[str, list[str]] = {}
    for service in services:
        if plan := tag_of(service, "plan"):
            plans.setdefault(f"{objects.GROUP}/{plan}"[:255], []).append(service["serviceid"])
    slas = client.call("sla.get", {"output": ["slaid", "name"], "filter": {"name": list(plans)}}) if plans else []
    figures: list[SliReading] = []
    for sla in slas:
        asked = {"slaid": sla["slaid"], "serviceids": plans[sla["name"]], "periods": PERIODS}
        figures += _figures(client.call("sla.getsli", asked), keys)
    return figures


def _figures(answer: dict[str, Any], keys: dict[str, str]) -> list[SliReading]:
    """Periods come as rows, services as columns."""
    return [
        SliReading(
            key=keys[str(service)],
            start=moment(period["period_from"]),
            end=moment(period["period_to"]),
            uptime=int(cell["uptime"]),
            downtime=int(cell["downtime"]),
        )
        for period, cells in zip(answer["periods"], answer["sli"], strict=True)
        for service, cell in zip(answer["serviceids"], cells, strict=True)
        if int(cell["uptime"]) + int(cell["downtime"]) > 0
    ]
