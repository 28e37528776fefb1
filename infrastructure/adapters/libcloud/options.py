"""What new servers are made with besides size and image: named by staff, handed over as the driver's own objects."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import ConfigError

# Arguments of `create_node` that want objects, and the method that lists them.
LISTED_BY: Mapping[str, str] = {
    "ex_subnet": "ex_list_subnets",
    "networks": "ex_list_networks",
    "ex_security_groups": "ex_list_security_groups",
    "ex_affinity_groups": "ex_list_affinity_groups",
    "project": "ex_list_projects",
}
NETWORKS = ("ex_subnet", "networks")
SHOWN = 20


def network_option(driver: Any) -> str:
    """The argument that says in which network a server is made; empty where the driver has none that we know."""
    accepted = inspect.signature(driver.create_node).parameters
    return next((name for name in NETWORKS if name in accepted and hasattr(driver, LISTED_BY[name])), "")


def with_network(driver: Any, options: Mapping[str, Any], network_id: str) -> dict[str, Any]:
    """The options, in this network unless they name one themselves."""
    name = network_option(driver)
    if not network_id or name in options:
        return dict(options)
    if not name:
        raise ConfigError(f"{driver.name}: its libcloud driver cannot be told a network")
    return {**options, name: [network_id] if name == "networks" else network_id}


def with_objects(driver: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with objects for the ids or names of what the driver wants as objects; ConfigError if one is not."""
    return {name: _object(driver, name, value) for name, value in options.items()}


def _object(driver: Any, option: str, value: Any) -> Any:
    wishes = value if isinstance(value, list) else [value]
    listing = getattr(driver, LISTED_BY.get(option, "?"), None)
    if listing is None or not all(isinstance(wish, str) for wish in wishes):
        return value
    known = list(listing())
    if known and isinstance(known[0], str):
        return value  # names are what this driver wants: Amazon's security groups
    found = [_named(driver, option, wish, known) for wish in wishes]
    return found if isinstance(value, list) else found[0]


def _named(driver: Any, option: str, wish: str, known: Sequence[Any]) -> Any:
    found = [one for one in known if wish in (str(one.id), one.name)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(one.id) for one in found)
        raise ConfigError(f"{driver.name} has several called '{wish}' for {option}: {ids}; name one by its id")
    there = ", ".join(f"{one.name} ({one.id})" for one in known[:SHOWN]) or "none"
    raise ConfigError(f"{driver.name} has no '{wish}' for {option}; it has {there}")
