"""libcloud's servers as nodes of the contract: key, state, address and size."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from core.errors import PermanentError, TransientError
from infrastructure.contracts.cloud import Node, NodeState

KEY_TAG = "live-key"
RECHECK_AFTER = timedelta(seconds=5)
# Where drivers put the id of a server's size: EC2, DigitalOcean, OpenStack, CloudStack.
SIZE_NAMES = ("instance_type", "size_slug", "flavorId", "size_id")

# By libcloud's own names of states.
_STATES = {
    "running": NodeState.RUNNING,
    "pending": NodeState.BUILDING,
    "starting": NodeState.BUILDING,
    "rebooting": NodeState.BUILDING,
    "reconfiguring": NodeState.BUILDING,
    "migrating": NodeState.BUILDING,
    "updating": NodeState.BUILDING,
    "stopping": NodeState.STOPPED,
    "stopped": NodeState.STOPPED,
    "suspended": NodeState.STOPPED,
    "paused": NodeState.STOPPED,
    "error": NodeState.ERROR,
}


def require_ready(node: Node) -> Node:
    """The node, if it can be used; raises if it cannot, or not yet."""
    if node.state is NodeState.ERROR:
        raise PermanentError(f"the provider reports an error for server {node.key} ({node.outside_id})")
    if node.state is NodeState.STOPPED:
        raise TransientError(
            f"server {node.key} ({node.outside_id}) is stopped at the provider", retry_in=RECHECK_AFTER
        )
    if node.state is not NodeState.RUNNING:
        raise TransientError(f"server is still being built ({node.state})", retry_in=RECHECK_AFTER)
    if not node.address:
        raise TransientError("server is still being built (no public address yet)", retry_in=RECHECK_AFTER)
    return node


def node_of(node: Any) -> Node:
    """The libcloud server as a node."""
    return Node(
        outside_id=str(node.id),
        key=key_of(node),
        state=_STATES.get(str(node.state), NodeState.UNKNOWN),
        address=_address(node),
        size=_size_of(node),
    )


def key_of(node: Any) -> str:
    for tags in (node.extra.get("tags"), node.extra.get("metadata")):
        if isinstance(tags, Mapping) and tags.get(KEY_TAG):
            return str(tags[KEY_TAG])
    return str(node.name or "")


def _size_of(node: Any) -> str:
    if node.size:
        return str(getattr(node.size, "id", node.size))  # Vultr's driver has the bare id here
    return str(next((node.extra[name] for name in SIZE_NAMES if node.extra.get(name)), ""))


def _address(node: Any) -> str:
    addresses = [str(address) for address in node.public_ips if address]
    return next((address for address in addresses if ":" not in address), addresses[0] if addresses else "")


def node_age(node: Any) -> tuple[float, str]:
    return (node.created_at.timestamp() if node.created_at else float("inf"), str(node.id))
