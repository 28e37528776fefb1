"""What we ask of Zabbix, in Zabbix's words: pure, from a spec to the objects it should have.

https://www.zabbix.com/documentation/7.0/en/manual/api/reference
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from monitoring.adapters.zabbix.interfaces import MARKS, changed_interfaces, interfaces_at
from monitoring.contracts.backend import CheckSpec, MonitorSpec

OURS = "live"
"""The tag that carries our key; whoever gives it to a host of their own hands that host to us."""
OUR_CHECK = "check"
GROUP = "Geocat Live"
INTERVAL = "{$LIVE.INTERVAL}"
SEVERITIES = {"information": "1", "warning": "2", "average": "3", "high": "4", "disaster": "5"}
NOWHERE: Mapping[str, str] = {}
LONGEST_PATTERN = 255

Object = dict[str, Any]


def group_of(spec: MonitorSpec) -> str:
    """One host group per product."""
    product = spec.tags.get("product", "")
    return f"{GROUP}/{product}" if product else GROUP


def tags_of(spec: MonitorSpec) -> list[Object]:
    return _tags({OURS: spec.key, **spec.tags})


def host(
    spec: MonitorSpec, *, group: str, interval: str, places: Mapping[str, str] = NOWHERE, macros: Sequence[Object] = ()
) -> Object:
    """A host with an interface for each agent at `places`; without them it has none, for web scenarios need none."""
    interfaces = {"interfaces": interfaces_at(list(places.values()))} if places else {}
    return {
        "host": spec.key,
        "name": spec.name[:128] or spec.key,
        "status": "0",
        "groups": [{"groupid": group}],
        "tags": tags_of(spec) + _tags(places),
        "macros": [{"macro": INTERVAL, "value": interval, "description": "How often every address is asked"}, *macros],
        **interfaces,
    }


def scenario(check: CheckSpec) -> Object:
    """A web scenario of one step, named by the check's key: renaming an application keeps its history."""
    step = {
        "no": "1",
        "name": step_name(check),
        "url": check.url,
        "status_codes": str(check.status),
        "required": _pattern(check.contains),
        "timeout": f"{max(1, math.ceil(check.max_seconds))}s",
        "follow_redirects": "1",
    }
    return {
        "name": check.key,
        "delay": INTERVAL,
        "retries": "1",
        "agent": "Geocat Live",
        "status": "0",
        "verify_peer": "1",
        "verify_host": "1",
        "tags": _tags({OUR_CHECK: check.key}),
        "steps": [step],
    }


def trigger(spec: MonitorSpec, check: CheckSpec, *, severity: str = "high") -> Object:
    """An alarm that stands as long as the scenario fails."""
    return {
        "description": f"{check.name or check.key} is down",
        "expression": f"last(/{spec.key}/{item_key('fail', check)})<>0",
        "priority": SEVERITIES[severity],
        "status": "0",
        "url": check.url if len(check.url) <= 255 else "",
        "tags": _tags({OUR_CHECK: check.key}),
    }


def service(spec: MonitorSpec) -> Object:
    """A service that is as bad as the worst problem with an address of the order.

    Only alarms about addresses carry the tag `check`: a full disk or an old certificate is no broken promise.
    """
    return {
        "name": spec.name[:128] or spec.key,
        "algorithm": "2",
        "sortorder": "0",
        "problem_tags": [
            {"tag": OURS, "operator": "0", "value": spec.key},
            {"tag": OUR_CHECK, "operator": "2", "value": ""},
        ],
        "tags": tags_of(spec) + (_tags({"plan": spec.plan}) if spec.plan else []),
    }


def sla(plan: str, promise: float | None, *, since: int) -> Object:
    """The promise of a plan, kept or not by every service that carries the plan's tag; around the clock, by month.

    A plan that promises nothing has one too, which asks for nothing: it measures all the same.
    """
    return {
        "name": f"{GROUP}/{plan}"[:255],
        "period": "2",
        "slo": f"{promise or 0:g}",
        "effective_date": since,
        "timezone": "UTC",
        "status": "1",
        "service_tags": [{"tag": "plan", "operator": "0", "value": plan}],
    }


def item_key(kind: str, check: CheckSpec) -> str:
    """The key of the item that Zabbix makes by itself: `fail` (0 is well) or `error` (why) of a scenario."""
    return f"web.test.{kind}[{parameter(check.key)}]"


def time_key(check: CheckSpec) -> str:
    """The key of the item that holds the response time in seconds."""
    return f"web.test.time[{parameter(check.key)},{parameter(step_name(check))},resp]"


def step_name(check: CheckSpec) -> str:
    """What people call the address."""
    return check.name[:64] or check.key[:64]


def _pattern(text: str) -> str:
    """An expression that finds `text`, or as much of its beginning as Zabbix has room for."""
    while len(re.escape(text)) > LONGEST_PATTERN:
        text = text[:-1]
    return re.escape(text)


def parameter(text: str) -> str:
    """What stands between the brackets of a key, quoted where Zabbix itself quotes.

    https://www.zabbix.com/documentation/7.0/en/manual/config/items/item/key
    """
    if text.startswith('"') or "," in text or "]" in text:
        return '"' + text.replace('"', '\\"') + '"'
    return text


def _tags(tags: Mapping[str, str]) -> list[Object]:
    return [{"tag": tag, "value": value[:255]} for tag, value in tags.items()]


def merged_host(found: Mapping[str, Any], wanted: Object) -> Object:
    """What must change of a host that exists; what others gave it (groups, tags, macros, interfaces) stays theirs."""
    change = {name: wanted[name] for name in ("host", "name", "status") if str(found[name]) != wanted[name]}
    theirs = [{"groupid": group["groupid"]} for group in found["groups"] if not _is_our_group(group["name"])]
    if not _same([{"groupid": group["groupid"]} for group in found["groups"]], groups := theirs + wanted["groups"]):
        change["groups"] = groups
    names = {tag["tag"] for tag in wanted["tags"]}
    tags = [_plain(tag) for tag in found["tags"] if tag["tag"] not in names | MARKS] + wanted["tags"]
    if not _same([_plain(tag) for tag in found["tags"]], tags):
        change["tags"] = tags
    present = {macro["macro"] for macro in found["macros"]}
    if absent := [macro for macro in wanted["macros"] if macro["macro"] not in present]:
        # Macros are replaced as a whole, and a secret one cannot be read: naming its id keeps it.
        change["macros"] = [{"hostmacroid": macro["hostmacroid"]} for macro in found["macros"]] + absent
    places = [tag["value"] for tag in wanted["tags"] if tag["tag"] in MARKS]
    if (interfaces := changed_interfaces(found, places)) is not None:
        change["interfaces"] = interfaces
    return change


def differs(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """True if any wanted property is otherwise outside; properties that are not wanted are nobody's business."""
    return any(not _same(found.get(name), value) for name, value in wanted.items())


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and not differs(found, wanted)
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return (
            isinstance(found, Sequence)
            and len(found) == len(wanted)
            and all(any(_same(candidate, other) for candidate in found) for other in wanted)
        )
    return str(found) == str(wanted)


def _plain(tag: Mapping[str, Any]) -> Object:
    return {"tag": tag["tag"], "value": tag["value"]}


def _is_our_group(name: str) -> bool:
    return name == GROUP or name.startswith(f"{GROUP}/")
