"""Registering many monitors in few calls: look at everything once, then make what is absent and change what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import ConfigError, OutsideError, PermanentError
from monitoring.adapters.zabbix import certificates as certificates
from monitoring.adapters.zabbix import interfaces as interfaces
from monitoring.adapters.zabbix import lookup, objects
from monitoring.adapters.zabbix import templates as templates
from monitoring.adapters.zabbix.bulk import Bulk, Wish
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.contracts.backend import CheckSpec, MonitorSpec, Registered

ExistingObjects = Mapping[str, Sequence[Found]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What is the same for all orders."""

    interval: str = "1m"
    severity: str = "high"
    probe: str = ""
    """Where an agent 2 answers that asks for certificates; empty where there is none."""
    certificate_interval: str = "1h"


class Registration:
    """One visit to Zabbix for many specs: groups, hosts, scenarios, triggers, services and SLAs, in that order."""

    def __init__(self, client: ZabbixClient, wishes: Wishes) -> None:
        self.client, self.wishes = client, wishes
        self.bulk, self.extra = Bulk(client), Bulk(client)
        self.remarks: dict[str, str] = {}
        self.ids: dict[str, str] = {}
        self.made: set[str] = set()
        """Keys whose host was made just now: nothing stands on it that would have to be looked at."""

    def register(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        """By key how its host stands, or why there is none."""
        self.bulk.refused |= {spec.key: error for spec in specs if (error := _not_for_the_web(spec))}
        specs = [spec for spec in specs if spec.key not in self.bulk.refused]
        if specs:
            found, items = self._cleared(specs, lookup.hosts_of(self.client, [spec.key for spec in specs]))
            tags = self._hosts(specs, found)
            specs = [spec for spec in specs if spec.key in self.ids]
            existing = [self.ids[spec.key] for spec in specs if spec.key not in self.made]
            triggers = lookup.triggers_of(self.client, existing)
            self._scenarios(specs, lookup.scenarios_of(self.client, existing))
            self._triggers(specs, triggers)
            self._services(specs)
            self._slas(specs)
            self._extras(specs, found, tags, items, triggers)
        return {**self._registered(), **self.bulk.refused}

    def _registered(self) -> Mapping[str, Registered]:
        """What an order goes without is told beside its id."""
        remarks = self.remarks | {key: str(error) for key, error in self.extra.refused.items()}
        return {key: Registered(outside_id=hostid, remark=remarks.get(key, "")) for key, hostid in self.ids.items()}

    def _cleared(self, specs: Sequence[MonitorSpec], found: ExistingObjects) -> tuple[ExistingObjects, ExistingObjects]:
        """The hosts without what is wanted on them no more, before its interfaces go; and our items of certificates."""
        self.bulk.refused |= lookup.refuse_doubles(found)
        specs = [spec for spec in specs if spec.key in found and spec.key not in self.bulk.refused]
        found = templates.unlink(self.bulk, specs, found)
        hostids = {spec.key: found[spec.key][0]["hostid"] for spec in specs}
        asked = [hostids[spec.key] for spec in specs if lookup.tag_of(found[spec.key][0], interfaces.PROBE)]
        items = certificates.items_of(self.client, asked)
        needless = [
            Wish(key=spec.key, params=itemid)
            for spec in specs
            for itemid in certificates.needless(spec, items.get(hostids[spec.key], ()), probe=self.wishes.probe)
        ]
        self.bulk.send("item.delete", needless)
        return found, items

    def _hosts(self, specs: Sequence[MonitorSpec], found: ExistingObjects) -> Mapping[str, templates.Tags]:
        """Every spec has its host; by key the tags that it has then."""
        groups = self._groups(specs)
        creates, updates, tags = [], [], {}
        for spec in specs:
            if spec.key in self.bulk.refused:
                continue
            host = next(iter(found.get(spec.key, ())), None)
            wanted = self._host(spec, host, group=groups[objects.group_of(spec)])
            tags[spec.key] = wanted["tags"]
            if host is None:
                creates.append(Wish(key=spec.key, params=wanted))
                continue
            self.ids[spec.key] = host["hostid"]
            change = objects.merged_host(host, wanted)
            tags[spec.key] = change.get("tags", [{"tag": tag["tag"], "value": tag["value"]} for tag in host["tags"]])
            if change:
                updates.append(Wish(key=spec.key, params={"hostid": host["hostid"], **change}))
        made = {wish.key: hostid for wish, hostid in self.bulk.send("host.create", creates)}
        self.made = set(made)
        self.ids |= made
        self.bulk.send("host.update", updates)
        return tags

    def _host(self, spec: MonitorSpec, host: Found | None, *, group: str) -> objects.Object:
        places = interfaces.places_of(spec, probe=self.wishes.probe)
        macros = certificates.macros(self.wishes.certificate_interval) if interfaces.PROBE in places else []
        theirs = interfaces.foreign_places(host) if host else set()
        ours = {mark: place for mark, place in places.items() if place not in theirs}
        return objects.host(spec, group=group, interval=self.wishes.interval, places=ours, macros=macros)

    def _extras(
        self,
        specs: Sequence[MonitorSpec],
        found: ExistingObjects,
        tags: Mapping[str, templates.Tags],
        items: ExistingObjects,
        triggers: ExistingObjects,
    ) -> None:
        """Templates and certificates where there is an agent; an order that cannot have them is watched without."""
        alive = [spec for spec in specs if spec.key not in self.bulk.refused]
        if with_agent := [spec for spec in alive if spec.agent_address]:
            available = templates.templates_of(self.client)
            if remark := templates.missing(available):
                self.remarks |= {spec.key: remark for spec in with_agent}
            linked = {key: hosts[0]["parentTemplates"] for key, hosts in found.items() if len(hosts) == 1}
            hosts = {spec.key: (self.ids[spec.key], tags[spec.key], linked.get(spec.key, [])) for spec in with_agent}
            templates.link(self.extra, with_agent, available, hosts)
        if self.wishes.probe:
            visit = certificates.Certificates(self.client, self.extra, ids=self.ids, probe=self.wishes.probe)
            visit.ensure(alive, items, triggers)

    def _groups(self, specs: Sequence[MonitorSpec]) -> dict[str, str]:
        """The id of every product's group; who may not make one holds up that product's orders and no others."""
        names = {objects.group_of(spec) for spec in specs}
        shape = {"output": ["groupid", "name"], "filter": {"name": sorted(names)}}
        ids = {group["name"]: group["groupid"] for group in self.client.call("hostgroup.get", shape)}
        if absent := sorted(names - set(ids)):
            try:
                made = self.client.call("hostgroup.create", [{"name": name} for name in absent])
            except ConfigError as error:
                self.bulk.refused |= {
                    spec.key: _by_hand(spec, error) for spec in specs if objects.group_of(spec) not in ids
                }
            else:
                ids |= dict(zip(absent, made["groupids"], strict=True))
        return ids

    def _scenarios(self, specs: Sequence[MonitorSpec], existing: Mapping[str, Sequence[Found]]) -> None:
        """Every check has its scenario, and scenarios of ours whose check is gone are gone with their triggers."""
        creates, updates, deletes = [], [], []
        for spec in specs:
            found = {scenario["name"]: scenario for scenario in existing.get(self.ids[spec.key], ())}
            for check in spec.checks:
                wanted = objects.scenario(check)
                if not (scenario := found.pop(check.key, None)):
                    creates.append(Wish(key=spec.key, params={"hostid": self.ids[spec.key], **wanted}))
                elif objects.differs(scenario, wanted):
                    updates.append(Wish(key=spec.key, params=_changed_scenario(scenario, wanted)))
            ours = (scenario for scenario in found.values() if lookup.tag_of(scenario, objects.OUR_CHECK))
            deletes += [Wish(key=spec.key, params=scenario["httptestid"]) for scenario in ours]
        self.bulk.send("httptest.delete", deletes)
        self.bulk.send("httptest.create", creates)
        self.bulk.send("httptest.update", updates)

    def _triggers(self, specs: Sequence[MonitorSpec], existing: Mapping[str, Sequence[Found]]) -> None:
        creates, updates = [], []
        for spec, check in _checks(specs):
            wanted = objects.trigger(spec, check, severity=self.wishes.severity)
            trigger = _first(existing.get(self.ids[spec.key], ()), _is_of(check, wanted["expression"]))
            if trigger is None:
                creates.append(Wish(key=spec.key, params=wanted))
            elif objects.differs(trigger, wanted):
                updates.append(Wish(key=spec.key, params={"triggerid": trigger["triggerid"], **wanted}))
        self.bulk.send("trigger.create", creates)
        self.bulk.send("trigger.update", updates)

    def _services(self, specs: Sequence[MonitorSpec]) -> None:
        existing = lookup.services_of(self.client, [spec.key for spec in specs])
        creates, updates = [], []
        for spec in specs:
            wanted = objects.service(spec)
            if not (found := existing.get(spec.key)):
                creates.append(Wish(key=spec.key, params=wanted))
            elif objects.differs(found[0], wanted):
                updates.append(Wish(key=spec.key, params={"serviceid": found[0]["serviceid"], **wanted}))
        self.bulk.send("service.create", creates)
        self.bulk.send("service.update", updates)

    def _slas(self, specs: Sequence[MonitorSpec]) -> None:
        """One SLA for each plan; a promise that has changed is changed there too."""
        plans = {spec.plan: spec for spec in specs if spec.plan}
        if not plans:
            return
        today = int(time.time()) // 86400 * 86400  # Zabbix wants midnight, UTC
        wanted = {plan: objects.sla(plan, spec.promise, since=today) for plan, spec in plans.items()}
        shape = {"output": ["slaid", "name", "slo"], "filter": {"name": [sla["name"] for sla in wanted.values()]}}
        found = {sla["name"]: sla for sla in self.client.call("sla.get", shape)}
        creates, updates = [], []
        for plan, sla in wanted.items():
            key = plans[plan].key
            if not (old := found.get(sla["name"])):
                creates.append(Wish(key=key, params=sla))
            elif float(old["slo"]) != float(sla["slo"]):
                updates.append(Wish(key=key, params={"slaid": old["slaid"], "slo": sla["slo"]}))
        self.bulk.send("sla.create", creates)
        self.bulk.send("sla.update", updates)


def _not_for_the_web(spec: MonitorSpec) -> PermanentError | None:
    for check in spec.checks:
        if not check.url.startswith(("http://", "https://")):
            return PermanentError(f"{check.name}: '{check.url}' is not a web address")
    return None


def _by_hand(spec: MonitorSpec, error: ConfigError) -> ConfigError:
    advice = f"Make the host group '{objects.group_of(spec)}' by hand, and let this account write to it"
    return ConfigError(f"{str(error).rstrip('.')}. {advice}")


def _checks(specs: Sequence[MonitorSpec]) -> Iterable[tuple[MonitorSpec, CheckSpec]]:
    return ((spec, check) for spec in specs for check in spec.checks)


def _is_of(check: CheckSpec, expression: str) -> Callable[[Found], bool]:
    """Ours by its tag, or made by hand to say the same."""
    return lambda found: lookup.tag_of(found, objects.OUR_CHECK) == check.key or found["expression"] == expression


def _first(found: Iterable[Found], fits: Callable[[Found], bool]) -> Found | None:
    return next((item for item in found if fits(item)), None)


def _changed_scenario(found: Found, wanted: objects.Object) -> objects.Object:
    """The step keeps its id where there is one, and with it the history of its response times."""
    steps = wanted["steps"]
    if found["steps"]:
        steps = [{"httpstepid": found["steps"][0]["httpstepid"], **steps[0]}]
    return {"httptestid": found["httptestid"], **wanted, "steps": steps}
