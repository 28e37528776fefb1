"""Where Zabbix finds agents: the interfaces of a host, ours beside those of others. Pure values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from monitoring.contracts.backend import MonitorSpec

AGENT, PROBE = "live-agent", "live-certificates"
"""The tags that say which interfaces of a host are ours, by their place."""
MARKS = {AGENT, PROBE}
PORT = "10050"

Object = dict[str, Any]


def is_secure(spec: MonitorSpec) -> bool:
    """True when an address of the order has a certificate."""
    return any(check.url.startswith("https://") for check in spec.checks)


def places_of(spec: MonitorSpec, *, probe: str) -> dict[str, str]:
    """By mark the place of each agent that is asked about the order: its server's, and the one for certificates."""
    places = {AGENT: f"{spec.agent_address}:{PORT}"} if spec.agent_address else {}
    return places | ({PROBE: probe} if probe and is_secure(spec) else {})


def interfaces_at(places: Sequence[str], *, main: bool = True) -> list[Object]:
    """An interface for each place; the first is the host's main one unless another's is."""
    return [_interface(place, main=main and number == 0) for number, place in enumerate(dict.fromkeys(places))]


def place_of(interface: Mapping[str, Any]) -> str:
    """Address and port of an interface."""
    at = interface["ip"] if str(interface["useip"]) == "1" else interface["dns"]
    return f"{at}:{interface['port']}"


def foreign_places(host: Mapping[str, Any]) -> set[str]:
    """The places of a host's interfaces that somebody else has given it."""
    return {place_of(interface) for interface in host.get("interfaces", ())} - _our_places(host)


def changed_interfaces(host: Mapping[str, Any], places: Sequence[str]) -> list[Object] | None:
    """All interfaces that the host should have, theirs as they are and ours at `places`; nothing where it has them."""
    existing = list(host.get("interfaces", ()))
    ours = _our_places(host)
    theirs = [interface for interface in existing if place_of(interface) not in ours]
    has_main = any(str(interface["type"]) == "1" and str(interface["main"]) == "1" for interface in theirs)
    ids = {place_of(interface): interface for interface in existing if place_of(interface) in ours}
    wanted = interfaces_at(places, main=not has_main)
    if {(place_of(interface), interface["main"]) for interface in wanted} == {
        (place, str(interface["main"])) for place, interface in ids.items()
    }:
        return None
    updated = [_with_id(interface, ids.get(place_of(interface))) for interface in wanted]
    return [_plain(interface) for interface in theirs] + updated


def _our_places(host: Mapping[str, Any]) -> set[str]:
    return {tag["value"] for tag in host["tags"] if tag["tag"] in MARKS}


def _interface(place: str, *, main: bool) -> Object:
    at, _, port = place.rpartition(":")
    by_ip = _is_ip(at)
    where = {"useip": "1", "ip": at, "dns": ""} if by_ip else {"useip": "0", "ip": "", "dns": at}
    return {"type": "1", "main": "1" if main else "0", **where, "port": port}


def _with_id(wanted: Object, existing: Mapping[str, Any] | None) -> Object:
    return {"interfaceid": existing["interfaceid"], **wanted} if existing else wanted


def _plain(interface: Mapping[str, Any]) -> Object:
    names = ("interfaceid", "type", "main", "useip", "ip", "dns", "port")
    details = {"details": interface["details"]} if interface.get("details") else {}
    return {name: interface[name] for name in names} | details


def _is_ip(text: str) -> bool:
    try:
        ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True
