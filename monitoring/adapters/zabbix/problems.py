"""What goes wrong in Zabbix now, and what went wrong and is over: one call for all orders."""

from __future__ import annotations

from datetime import UTC, datetime

from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import Found, tag_of
from monitoring.contracts.history_source import ActiveProblem, PastProblem

# Whatever carries our tag, rather than a condition for each of thousands of keys.
ANY_OF_OURS = [{"tag": objects.OURS, "operator": 4}]
MOST = 20_000


def read_problems(client: ZabbixClient) -> list[ActiveProblem]:
    """Every problem that goes on and carries our tag; triggers hand down the tags of their hosts."""
    shape = {
        "output": ["eventid", "clock", "name", "severity", "acknowledged", "suppressed"],
        "selectTags": ["tag", "value"],
        "tags": ANY_OF_OURS,
        "source": 0,
        "object": 0,
        "sortfield": ["eventid"],
        "sortorder": "DESC",
        "limit": MOST,
    }
    return [_alarm(event) for event in client.call("problem.get", shape)]


def read_past_problems(client: ZabbixClient, *, since: datetime) -> list[PastProblem]:
    """The problems of our checks that began after `since` and are over."""
    shape = {
        "output": ["eventid", "clock", "r_eventid"],
        "selectTags": ["tag", "value"],
        "tags": ANY_OF_OURS,
        "source": 0,
        "object": 0,
        "value": 1,
        "time_from": int(since.timestamp()),
        "sortfield": ["clock"],
        "limit": MOST,
    }
    return [
        PastProblem(key=tag_of(event, objects.OURS), check=check, at=moment(event["clock"]))
        for event in client.call("event.get", shape)
        if event["r_eventid"] != "0" and (check := tag_of(event, objects.OUR_CHECK))
    ]


def moment(clock: str) -> datetime:
    """A time of Zabbix's as ours."""
    return datetime.fromtimestamp(int(clock), UTC)


def _alarm(found: Found) -> ActiveProblem:
    return ActiveProblem(
        event_id=found["eventid"],
        key=tag_of(found, objects.OURS),
        check=tag_of(found, objects.OUR_CHECK),
        name=found["name"],
        severity=int(found["severity"]),
        since=moment(found["clock"]),
        acknowledged=found["acknowledged"] == "1",
        suppressed=found["suppressed"] == "1",
    )
