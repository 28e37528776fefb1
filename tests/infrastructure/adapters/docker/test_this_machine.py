"""This machine as a cloud."""

from __future__ import annotations

import pytest

from core.errors import ConfigError
from infrastructure.adapters.docker.this_machine import ThisMachine
from infrastructure.contracts.cloud import Node, NodeState, Powers, Size


def test_this_machine_is_there_for_every_key_and_survives_removal() -> None:
    cloud = ThisMachine(address="192.0.2.1")
    huge = Size(cpus=64, ram_gb=512, disk_gb=9000)
    here = Node(outside_id="this-machine", key="live-GL7K3M", state=NodeState.RUNNING, address="192.0.2.1")
    assert cloud.ensure_server(key="live-GL7K3M", size=huge) == here
    cloud.remove_server(key="live-GL7K3M")
    assert cloud.ensure_server(key="live-GL7K3M", size=huge) == here


def test_this_machine_is_never_left_behind() -> None:
    cloud = ThisMachine()
    assert cloud.find_server(key="live-GL7K3M") is None
    assert cloud.list_servers() == ()
    assert cloud.test_connection() == "this machine, at 127.0.0.1"


def test_this_machine_is_nobodys_to_stop() -> None:
    cloud, who = ThisMachine(), {"key": "live-GL7K3M", "outside_id": "this-machine"}
    assert cloud.powers() == Powers()
    assert cloud.inspect_server(**who) is None
    for ask in (cloud.start_server, cloud.stop_server, cloud.reboot_server, cloud.confirm_resize):
        with pytest.raises(ConfigError, match="does not belong to a cloud"):
            ask(**who)
    with pytest.raises(ConfigError, match="does not belong to a cloud"):
        cloud.resize_server(**who, size_id="large")
