"""Registering many monitors in few calls: look at everything once, then make what is absent and change what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from live.lib.errors import ConfigError, OutsideError, PermanentError
from monitoring.adapters import zabbix_lookup as lookup
from monitoring.adapters import zabbix_words as words
from monitoring.adapters.words import CheckSpec, MonitorSpec, Registered
from monitoring.adapters.zabbix_bulk import Bulk, Wish
from monitoring.adapters.zabbix_lookup import Found
from monitoring.adapters.zabbix_wire import Wire


class Registration:
    """One visit to Zabbix for many specs: groups, hosts, scenarios, triggers, services and SLAs, in that order."""

    def __init__(self, wire: Wire, *, interval: str) -> None:
        self.wire, self.interval = wire, interval
        self.bulk = Bulk(wire)
        self.ids: dict[str, str] = {}
        self.made: set[str] = set()
        """Keys whose host was made just now: nothing stands on it that would have to be looked at."""

    def register(self, specs: Sequence[MonitorSpec]) -> Mapping[str, Registered | OutsideError]:
        """By key how its host stands, or why there is none."""
        self.bulk.refused |= {spec.key: error for spec in specs if (error := _not_for_the_web(spec))}
        specs = [spec for spec in specs if spec.key not in self.bulk.refused]
        if specs:
            self._hosts(specs)
            specs = [spec for spec in specs if spec.key in self.ids]
            standing = [self.ids[spec.key] for spec in specs if spec.key not in self.made]
            self._scenarios(specs, lookup.scenarios_of(self.wire, standing))
            self._triggers(specs, lookup.triggers_of(self.wire, standing))
            self._services(specs)
            self._slas(specs)
        standing_now = {key: Registered(outside_id=hostid) for key, hostid in self.ids.items()}
        return {**standing_now, **self.bulk.refused}

    def _hosts(self, specs: Sequence[MonitorSpec]) -> None:
        found = lookup.hosts_of(self.wire, [spec.key for spec in specs])
        self.bulk.refused |= lookup.refuse_doubles(found)
        groups = self._groups(specs)
        creates, updates = [], []
        for spec in specs:
            if spec.key in self.bulk.refused:
                continue
            wanted = words.host(spec, group=groups[words.group_of(spec)], interval=self.interval)
            if not (hosts := found.get(spec.key)):
                creates.append(Wish(key=spec.key, params=wanted))
            else:
                self.ids[spec.key] = hosts[0]["hostid"]
                if change := words.merged_host(hosts[0], wanted):
                    updates.append(Wish(key=spec.key, params={"hostid": hosts[0]["hostid"], **change}))
        made = {wish.key: hostid for wish, hostid in self.bulk.send("host.create", creates)}
        self.made = set(made)
        self.ids |= made
        self.bulk.send("host.update", updates)

    def _groups(self, specs: Sequence[MonitorSpec]) -> dict[str, str]:
        """The id of every product's group; who may not make one holds up that product's orders and no others."""
        names = {words.group_of(spec) for spec in specs}
        shape = {"output": ["groupid", "name"], "filter": {"name": sorted(names)}}
        ids = {group["name"]: group["groupid"] for group in self.wire.call("hostgroup.get", shape)}
        if absent := sorted(names - set(ids)):
            try:
                made = self.wire.call("hostgroup.create", [{"name": name} for name in absent])
            except ConfigError as error:
                self.bulk.refused |= {
                    spec.key: _by_hand(spec, error) for spec in specs if words.group_of(spec) not in ids
                }
            else:
                ids |= dict(zip(absent, made["groupids"], strict=True))
        return ids

    def _scenarios(self, specs: Sequence[MonitorSpec], standing: Mapping[str, Sequence[Found]]) -> None:
        """Every check has its scenario, and scenarios of ours whose check is gone are gone with their triggers."""
        creates, updates, deletes = [], [], []
        for spec in specs:
            found = {one["name"]: one for one in standing.get(self.ids[spec.key], ())}
            for check in spec.checks:
                wanted = words.scenario(check)
                if not (scenario := found.pop(check.key, None)):
                    creates.append(Wish(key=spec.key, params={"hostid": self.ids[spec.key], **wanted}))
                elif words.differs(scenario, wanted):
                    updates.append(Wish(key=spec.key, params=_changed_scenario(scenario, wanted)))
            ours = (one for one in found.values() if lookup.tag_of(one, words.OUR_CHECK))
            deletes += [Wish(key=spec.key, params=one["httptestid"]) for one in ours]
        self.bulk.send("httptest.delete", deletes)
        self.bulk.send("httptest.create", creates)
        self.bulk.send("httptest.update", updates)

    def _triggers(self, specs: Sequence[MonitorSpec], standing: Mapping[str, Sequence[Found]]) -> None:
        creates, updates = [], []
        for spec, check in _checks(specs):
            wanted = words.trigger(spec, check)
            trigger = _first(standing.get(self.ids[spec.key], ()), _is_of(check, wanted["expression"]))
            if trigger is None:
                creates.append(Wish(key=spec.key, params=wanted))
            elif words.differs(trigger, wanted):
                updates.append(Wish(key=spec.key, params={"triggerid": trigger["triggerid"], **wanted}))
        self.bulk.send("trigger.create", creates)
        self.bulk.send("trigger.update", updates)

    def _services(self, specs: Sequence[MonitorSpec]) -> None:
        standing = lookup.services_of(self.wire, [spec.key for spec in specs])
        creates, updates = [], []
        for spec in specs:
            wanted = words.service(spec)
            if not (found := standing.get(spec.key)):
                creates.append(Wish(key=spec.key, params=wanted))
            elif words.differs(found[0], wanted):
                updates.append(Wish(key=spec.key, params={"serviceid": found[0]["serviceid"], **wanted}))
        self.bulk.send("service.create", creates)
        self.bulk.send("service.update", updates)

    def _slas(self, specs: Sequence[MonitorSpec]) -> None:
        """One SLA for each plan; a promise that has changed is changed there too."""
        plans = {spec.plan: spec for spec in specs if spec.plan}
        if not plans:
            return
        today = int(time.time()) // 86400 * 86400  # Zabbix wants midnight, UTC
        wanted = {plan: words.sla(plan, spec.promise, since=today) for plan, spec in plans.items()}
        shape = {"output": ["slaid", "name", "slo"], "filter": {"name": [sla["name"] for sla in wanted.values()]}}
        found = {sla["name"]: sla for sla in self.wire.call("sla.get", shape)}
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
    advice = f"Make the host group '{words.group_of(spec)}' by hand, and let this account write to it"
    return ConfigError(f"{str(error).rstrip('.')}. {advice}")


def _checks(specs: Sequence[MonitorSpec]) -> Iterable[tuple[MonitorSpec, CheckSpec]]:
    return ((spec, check) for spec in specs for check in spec.checks)


def _is_of(check: CheckSpec, expression: str) -> Callable[[Found], bool]:
    """Ours by its tag, or made by hand to say the same."""
    return lambda found: lookup.tag_of(found, words.OUR_CHECK) == check.key or found["expression"] == expression


def _first(found: Iterable[Found], fits: Callable[[Found], bool]) -> Found | None:
    return next((one for one in found if fits(one)), None)


def _changed_scenario(found: Found, wanted: words.Object) -> words.Object:
    """The step keeps its id where there is one, and with it the history of its response times."""
    steps = wanted["steps"]
    if found["steps"]:
        steps = [{"httpstepid": found["steps"][0]["httpstepid"], **steps[0]}]
    return {"httptestid": found["httptestid"], **wanted, "steps": steps}
