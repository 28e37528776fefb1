"""The lab's Zabbix 6.0 behind a proxy: every order of the run is registered there."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infrastructure.models import Endpoint
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.models import Monitor
from orders.choices import State, Wanted
from orders.models import Order
from products.models import Plan, Product
from tests.chaos.outside.part import NotOnStage, OutsidePart
from tests.chaos.proxy import Proxy, tcp_proxy

VARIABLES = ("LAB_ZABBIX_60_URL", "LAB_ZABBIX_USER", "LAB_ZABBIX_PASSWORD")
GROUP = "Geocat Live/{product}"
IS = 1  # how Zabbix compares a tag: equal to the value
ANY = 2  # and how tags are joined: one of them is enough

Item = Mapping[str, Any]


class Zabbix(OutsidePart):
    """A Zabbix that others use as well; only what belongs to the products of the run is looked at."""

    def __init__(self, proxy: Proxy, settings: Mapping[str, str], client: ZabbixClient) -> None:
        super().__init__(proxy)
        self.settings = self.environment = settings
        self._client = client

    def problems(self) -> Iterator[str]:
        """Each order that is not removed is registered once and as it has to be; of removed ones nothing is left."""
        orders = {order.key: order for order in Order.objects.select_related("release")}
        registered = set(Monitor.objects.exclude(outside_id="").values_list("order", flat=True))
        hosts, services = self._hosts(list(orders)), self._services(list(orders))
        names = Counter(host["host"] for host in hosts)
        yield from (f"Zabbix has the orphan {name}" for name in names.keys() - orders.keys())
        tagged = Counter(tag["value"] for service in services for tag in service["tags"] if tag["tag"] == "live")
        for key, order in orders.items():
            allowed = _allowed(order, is_registered=order.pk in registered)
            for kind, found in (("hosts", names[key]), ("services", tagged[key])):
                if found not in allowed:
                    numbers = " or ".join(map(str, sorted(allowed)))
                    yield f"Zabbix has {found} {kind} of {key}, not {numbers}; it is {order.state}"
        scenarios = self._scenarios([host["hostid"] for host in hosts])
        for host in hosts:
            if (order := orders.get(host["host"])) and order.state != State.REMOVED:
                yield from _problems_of_host(host, order, scenarios)

    def clear(self) -> None:
        """Nothing of the run is left there, whatever became of it."""
        keys = [order.key for order in Order.objects.all()]
        self._delete("host", "hostid", self._hosts(keys))
        self._delete("service", "serviceid", self._services(keys))
        plans = [f"Geocat Live/{plan.product.slug}/{plan.slug}" for plan in Plan.objects.select_related("product")]
        slas = self._client.call("sla.get", {"output": ["slaid"], "filter": {"name": plans}}) if plans else []
        self._delete("sla", "slaid", slas)
        self._delete("hostgroup", "groupid", self._groups())

    def _groups(self) -> Sequence[Item]:
        names = [GROUP.format(product=slug) for slug in Product.objects.values_list("slug", flat=True)]
        if not names:
            return []
        found: Sequence[Item] = self._client.call("hostgroup.get", {"output": ["groupid"], "filter": {"name": names}})
        return found

    def _hosts(self, keys: Sequence[str]) -> Sequence[Item]:
        """The hosts of the products, and those that bear one of the keys wherever they are."""
        shape = {"output": ["hostid", "host", "status"], "selectTags": "extend"}
        groups = [group["groupid"] for group in self._groups()]
        found = self._client.call("host.get", {**shape, "groupids": groups}) if groups else []
        found += self._client.call("host.get", {**shape, "filter": {"host": keys}}) if keys else []
        found += self._client.call("host.get", {**shape, **_tagged(keys)}) if keys else []
        return list({host["hostid"]: host for host in found}.values())

    def _services(self, keys: Sequence[str]) -> Sequence[Item]:
        shape = {"output": ["serviceid"], "selectTags": "extend"}
        return self._client.call("service.get", {**shape, **_tagged(keys)}) if keys else []

    def _scenarios(self, hostids: Sequence[str]) -> Sequence[Item]:
        shape = {"output": ["hostid", "name", "status"], "selectSteps": ["url"]}
        return self._client.call("httptest.get", {**shape, "hostids": hostids}) if hostids else []

    def _delete(self, kind: str, id_name: str, found: Sequence[Item]) -> None:
        if found:
            self._client.call(f"{kind}.delete", [item[id_name] for item in found])


def _allowed(order: Order, *, is_registered: bool) -> set[int]:
    """How many hosts, and how many services, Zabbix may have of the order."""
    if order.state == State.REMOVED:
        return {0}
    if order.wanted == Wanted.RUNNING or is_registered:
        return {1}
    # Suspended before Zabbix answered that it is registered: the answer may be lost, and what is there rests.
    return {0, 1}


def _problems_of_host(host: Item, order: Order, scenarios: Sequence[Item]) -> Iterator[str]:
    """It watches what the order has now, and rests while the order is suspended."""
    is_enabled = host["status"] == "0"
    if is_enabled != (order.wanted == Wanted.RUNNING):
        yield f"{order.key} is {'watched' if is_enabled else 'not watched'} by Zabbix and wanted {order.wanted}"
    if order.wanted != Wanted.RUNNING:
        return  # it is registered anew when it is resumed
    tags = {tag["tag"]: tag["value"] for tag in host["tags"]}
    if (tags.get("live"), tags.get("release")) != (order.key, order.release.version):
        yield f"{order.key} is tagged {tags} in Zabbix; its release is {order.release.version}"
    own = [scenario for scenario in scenarios if scenario["hostid"] == host["hostid"]]
    watched = sorted((scenario["name"], step["url"]) for scenario in own for step in scenario["steps"])
    wanted = sorted(Endpoint.objects.filter(order=order).values_list("name", "check_url"))
    if watched != wanted:
        yield f"{order.key} is watched at {watched}, not at {wanted}"


def _tagged(keys: Sequence[str]) -> dict[str, Any]:
    return {"evaltype": ANY, "tags": [{"tag": "live", "value": key, "operator": IS} for key in keys]}


@contextmanager
def on_stage(_folder: Path) -> Iterator[Zabbix]:
    """The lab's Zabbix, as the machines reach it."""
    if absent := [name for name in VARIABLES if name not in os.environ]:
        raise NotOnStage(f"{', '.join(absent)} not set; deploy/lab/up puts a Zabbix up")
    url, user, password = (os.environ[name] for name in VARIABLES)
    parts = urlsplit(url)
    with tcp_proxy(parts.hostname or "", parts.port or 80) as (proxy, port):
        proxied = parts._replace(netloc=f"127.0.0.1:{port}").geturl()
        settings = {"ZABBIX_URL": proxied, "ZABBIX_USER": user, "ZABBIX_PASSWORD": password, "ZABBIX_TOKEN": ""}
        zabbix = Zabbix(proxy, settings, ZabbixClient(url, user=user, password=password))
        try:
            yield zabbix
        finally:
            zabbix.clear()
