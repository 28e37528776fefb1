"""What Zabbix remembers of a period of time: every reading of many checks, in as few calls as its memory allows."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from monitoring.adapters.zabbix import objects
from monitoring.adapters.zabbix.client import ZabbixClient
from monitoring.adapters.zabbix.lookup import Found
from monitoring.adapters.zabbix.problems import moment
from monitoring.adapters.zabbix_failures import failure_of_text
from monitoring.contracts.backend import CheckSpec, Health, Reading
from monitoring.contracts.history_source import HistoryRange

UNSIGNED, CHARACTER, TEXT = 3, 1, 4
# So many readings at a time: some ten megabytes of JSON, which a frontend with 256 MB takes.
AT_ONCE = 100_000
EVERY = timedelta(minutes=1)


def read_history(client: ZabbixClient, periods: Sequence[HistoryRange]) -> dict[HistoryRange, list[Reading]]:
    """Every reading within each period, oldest first; two calls to find the items, two for some 100,000 readings."""
    items = _items(client, periods)
    with_items = [period for period in periods if ("fail", period.key, period.check) in items]
    readings: dict[HistoryRange, list[Reading]] = {}
    for portion in _portions(with_items):
        readings |= _read(client, portion, items)
    return readings


def _portions(periods: Sequence[HistoryRange]) -> Iterator[list[HistoryRange]]:
    """Neighbours in time together: a call asks every item for all the time from its first period to its last."""
    portion: list[HistoryRange] = []
    for period in sorted(periods, key=lambda period: (period.start, period.end)):
        if portion and (period.start > max(other.end for other in portion) or _readings([*portion, period]) > AT_ONCE):
            yield portion
            portion = []
        portion.append(period)
    if portion:
        yield portion


def _readings(periods: Sequence[HistoryRange]) -> int:
    """How many a call for these periods, in order of their start, would bring."""
    return len(periods) * (1 + (max(period.end for period in periods) - periods[0].start) // EVERY)


def _items(client: ZabbixClient, periods: Sequence[HistoryRange]) -> dict[tuple[str, str, str], str]:
    """The ids of the items that say whether (`fail`) and why (`error`), by kind, monitor and check."""
    keys = sorted({period.key for period in periods})
    if not keys:
        return {}
    hosts = client.call("host.get", {"output": ["hostid", "host"], "filter": {"host": keys}})
    wanted = {
        (period.key, objects.item_key(kind, CheckSpec(key=period.check, name="", url=""))): (
            kind,
            period.key,
            period.check,
        )
        for period in periods
        for kind in ("fail", "error")
    }
    names = {host["hostid"]: host["host"] for host in hosts}
    shape = {
        "output": ["itemid", "hostid", "key_"],
        "hostids": list(names),
        "webitems": True,
        "search": {"key_": ["web.test.fail[", "web.test.error["]},
        "startSearch": True,
        "searchByAny": True,
    }
    found = client.call("item.get", shape) if names else []
    return {
        wanted[names[item["hostid"]], item["key_"]]: item["itemid"]
        for item in found
        if (names[item["hostid"]], item["key_"]) in wanted
    }


def _read(
    client: ZabbixClient, periods: Sequence[HistoryRange], items: Mapping[tuple[str, str, str], str]
) -> dict[HistoryRange, list[Reading]]:
    values = _history(client, UNSIGNED, [items["fail", period.key, period.check] for period in periods], periods)
    failing = {itemid for itemid, rows in values.items() if any(row["value"] != "0" for row in rows)}
    broken = [period for period in periods if items["fail", period.key, period.check] in failing]
    error_items = [item for period in broken if (item := items.get(("error", period.key, period.check)))]
    why = _history(client, CHARACTER, error_items, broken)
    readings: dict[HistoryRange, list[Reading]] = {}
    for period in periods:
        rows = _within(values.get(items["fail", period.key, period.check], []), period)
        errors = why.get(items.get(("error", period.key, period.check), ""), [])
        if rows:
            readings[period] = [_reading(row, errors) for row in rows]
    return readings


def _history(
    client: ZabbixClient, kind: int, itemids: Sequence[str], periods: Sequence[HistoryRange]
) -> dict[str, list[Found]]:
    rows: dict[str, list[Found]] = defaultdict(list)
    if not itemids:
        return rows
    shape = {
        "output": ["itemid", "clock", "value"],
        "history": kind,
        "itemids": sorted(set(itemids)),
        "time_from": int(min(period.start for period in periods).timestamp()),
        "time_till": int(max(period.end for period in periods).timestamp()),
        "sortfield": "clock",
    }
    for row in client.call("history.get", shape):
        rows[row["itemid"]].append(row)
    return rows


def _within(rows: Sequence[Found], period: HistoryRange) -> Sequence[Found]:
    clocks = [int(row["clock"]) for row in rows]
    start = bisect_left(clocks, int(period.start.timestamp()))
    return rows[start : bisect_right(clocks, int(period.end.timestamp()))]


def _reading(row: Found, errors: Sequence[Found]) -> Reading:
    if row["value"] == "0":
        return Reading(health=Health.UP, at=moment(row["clock"]))
    reason = next((error["value"] for error in errors if error["clock"] == row["clock"]), "")
    return Reading(health=Health.DOWN, at=moment(row["clock"]), failure=failure_of_text(reason))
