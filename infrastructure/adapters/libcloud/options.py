"""Further options of new servers: given by staff as ids or names, passed on as the driver's own objects."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import ConfigError

# Arguments of `create_node` that expect objects, and the method that lists them.
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
    """The argument that names a new server's network; empty if the driver has none that we support."""
    accepted = inspect.signature(driver.create_node).parameters
    return next((name for name in NETWORKS if name in accepted and hasattr(driver, LISTED_BY[name])), "")


def with_network(driver: Any, options: Mapping[str, Any], network_id: str) -> dict[str, Any]:
    """The options, with this network unless they name one themselves."""
    name = network_option(driver)
    if not network_id or name in options:
        return dict(options)
    if not name:
        raise ConfigError(f"{driver.name}: its libcloud driver does not support choosing a network")
    return {**options, name: [network_id] if name == "networks" else network_id}


def with_objects(driver: Any, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with ids and names replaced by objects where the driver expects them; ConfigError if none fits."""
    return {name: _object(driver, name, value) for name, value in options.items()}


def _object(driver: Any, option: str, value: Any) -> Any:
    wishes = value if isinstance(value, list) else [value]
    listing = getattr(driver, LISTED_BY.get(option, "?"), None)
    if listing is None or not all(isinstance(wish, str) for wish in wishes):
        return value
    items = list(listing())
    if items and isinstance(items[0], str):
        return value  # this driver expects names: Amazon's security groups
    found = [_named(driver, option, wish, items) for wish in wishes]
    return found if isinstance(value, list) else found[0]


def _named(driver: Any, option: str, wish: str, items: Sequence[Any]) -> Any:
    found = [item for item in items if wish in (str(item.id), item.name)]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(str(item.id) for item in found)
        raise ConfigError(f"{driver.name} has several called '{wish}' for {option}: {ids}; name one by its id")
    available = ", ".join(f"{item.name} ({item.id})" for item in items[:SHOWN]) or "none"
    raise ConfigError(f"{driver.name} has no '{wish}' for {option}; it has {available}")
