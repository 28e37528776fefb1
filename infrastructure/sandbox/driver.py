"""A libcloud driver whose cloud is a table, with delays, lost replies and quotas."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests
from django.db.models import F
from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.base import (
    Node,
    NodeAuthPassword,
    NodeAuthSSHKey,
    NodeDriver,
    NodeImage,
    NodeLocation,
    NodeSize,
)
from libcloud.compute.types import NodeState

from core import clock
from infrastructure.sandbox.models import SandboxNode, SandboxSwitches

# (id, CPUs, memory in GB, disk in GB, euros a month)
SIZES = (
    ("sandbox-1", 1, 2, 40, 4.0),
    ("sandbox-2", 2, 4, 80, 8.0),
    ("sandbox-4", 4, 16, 160, 24.0),
    ("sandbox-16", 16, 64, 640, 120.0),
)


class SandboxNodeDriver(NodeDriver):
    """Implements libcloud's driver on the sandbox's tables; fails as the switches say."""

    name = "Sandbox"
    website = "about:blank"

    def __init__(self, provider_pk: int) -> None:
        super().__init__(key="sandbox")  # type: ignore[no-untyped-call]
        self._provider_pk = provider_pk

    def list_nodes(self) -> list[Node]:
        """The provider's servers."""
        self._switches()
        return [self._node(row) for row in self._rows().order_by("pk")]

    def create_node(
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: NodeLocation | None = None,
        auth: NodeAuthSSHKey | NodeAuthPassword | None = None,
        ex_userdata: str = "",
    ) -> Node:
        """Creates another server, even if the name exists, as clouds do."""
        switches = self._switches()
        if self._rows().count() >= switches.quota:
            message = f"QuotaExceeded: {switches.quota} servers are allowed"
            raise BaseHTTPError(400, message)  # type: ignore[no-untyped-call]
        ready_at = clock.now() + timedelta(seconds=switches.build_seconds)
        row = SandboxNode.objects.create(provider_id=self._provider_pk, name=name, size=size.id, ready_at=ready_at)
        self._lose_reply(switches)
        return self._node(row)

    def start_node(self, node: Node) -> bool:
        """The server boots, with a new address."""
        return self._move(node, from_stopped=True, is_stopped=False, starts=F("starts") + 1)

    def stop_node(self, node: Node) -> bool:
        """The server stops; its disk is kept."""
        return self._move(node, is_stopped=True)

    def reboot_node(self, node: Node) -> bool:
        """The server reboots, once for each call."""
        return self._move(node, reboots=F("reboots") + 1)

    def ex_change_node_size(self, node: Node, new_size: NodeSize) -> bool:
        """Resizes a stopped server, as EC2 does."""
        return self._move(node, from_stopped=True, is_stopped=True, size=new_size.id)

    def destroy_node(self, node: Node) -> bool:
        """The server is removed; False if there was none."""
        self._switches()
        deleted, _ = self._rows().filter(pk=_pk_of(node)).delete()
        return bool(deleted)

    def list_sizes(self, location: NodeLocation | None = None) -> list[NodeSize]:
        """The sizes on offer."""
        return [
            NodeSize(name, name, ram * 1024, disk, None, price, self, extra={"cpus": cpus})
            for name, cpus, ram, disk, price in SIZES
        ]

    def list_images(self, location: NodeLocation | None = None) -> list[NodeImage]:
        """One image."""
        return [NodeImage("debian-12", "Debian 12", self)]

    def list_locations(self) -> list[NodeLocation]:
        """One location."""
        return [NodeLocation("nowhere", "Nowhere", "NL", self)]

    def _move(self, node: Node, *, from_stopped: bool = False, **fields: object) -> bool:
        """Starts the change, which takes as long as creating a server; a server in another state refuses it."""
        switches = self._switches()
        fails = SandboxSwitches.objects.filter(pk=switches.pk, failing_actions__gt=0)
        if fails.update(failing_actions=F("failing_actions") - 1):
            raise BaseHTTPError(400, "The sandbox is set to refuse this action")  # type: ignore[no-untyped-call]
        now = clock.now()
        ready_at = now + timedelta(seconds=switches.build_seconds)
        rows = self._rows().filter(pk=_pk_of(node), is_stopped=from_stopped, ready_at__lte=now)
        if not rows.update(ready_at=ready_at, **fields):
            message = f"IncorrectInstanceState: {node.id} is {node.state}"
            raise BaseHTTPError(400, message)  # type: ignore[no-untyped-call]
        self._lose_reply(switches)
        return True

    def _lose_reply(self, switches: SandboxSwitches) -> None:
        loses = SandboxSwitches.objects.filter(pk=switches.pk, lost_replies__gt=0)
        if loses.update(lost_replies=F("lost_replies") - 1):
            raise requests.exceptions.ReadTimeout("The sandbox lost this reply")

    def _rows(self) -> Any:
        return SandboxNode.objects.filter(provider=self._provider_pk)

    def _switches(self) -> SandboxSwitches:
        switches, _ = SandboxSwitches.objects.get_or_create(provider_id=self._provider_pk)
        if switches.is_down:
            raise requests.exceptions.ConnectionError("The sandbox provider does not answer")
        return switches

    def _node(self, row: SandboxNode) -> Node:
        number = (row.pk + 7 * row.starts) % 254 + 1
        address = f"192.0.2.{number}"  # TEST-NET-1, RFC 5737: reaches nobody
        return Node(f"sbx-{row.pk}", row.name, _state_of(row), [address], [], self, extra={"instance_type": row.size})


def _pk_of(node: Node) -> int:
    return int(str(node.id).removeprefix("sbx-"))


def _state_of(row: SandboxNode) -> NodeState:
    if row.ready_at <= clock.now():
        return NodeState.STOPPED if row.is_stopped else NodeState.RUNNING
    return NodeState.STOPPING if row.is_stopped else NodeState.PENDING
