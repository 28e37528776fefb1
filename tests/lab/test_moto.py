"""Servers from an EC2 that answers as Amazon's does: libcloud's driver over real HTTP."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from core.errors import PermanentError, TransientError
from infrastructure.adapters.docker.runtime import DockerRuntime
from infrastructure.adapters.libcloud.cloud import LibcloudCloud, open_driver
from infrastructure.adapters.ssh.hosts import HostKeyChanged, SshTarget, ask, bootstrap_of, new_key_pair
from infrastructure.cloud_init import render_user_data
from infrastructure.contracts.cloud import Node, NodeState, Size
from tests.lab.ec2 import IMAGE, SIZES, ec2

pytestmark = [pytest.mark.lab, pytest.mark.enable_socket]

SIZE = Size(cpus=2, ram_gb=4, disk_gb=40)
KEY = "live-GL7K3M"
ADDRESS = "10.250.1.2"


@pytest.fixture(scope="module")
def credentials() -> Iterator[dict[str, object]]:
    with ec2("--address", ADDRESS) as captured:
        yield captured


@pytest.fixture
def driver(credentials: dict[str, object]) -> Any:
    """Libcloud's driver, as a provider's settings would open it; the cloud behind it is empty."""
    requests.post(f"http://127.0.0.1:{credentials['port']}/moto-api/reset", timeout=10)
    return open_driver("ec2", credentials)


@pytest.fixture
def cloud(driver: Any) -> LibcloudCloud:
    return LibcloudCloud(driver=driver, image_id=IMAGE, size_ids=SIZES)


def ensured(cloud: LibcloudCloud, key: str = KEY, **more: Any) -> Node:
    for _ in range(20):
        try:
            return cloud.ensure_server(key=key, size=SIZE, **more)
        except TransientError:
            time.sleep(0.1)
    return cloud.ensure_server(key=key, size=SIZE, **more)


def asked(driver: Any, action: str, **parameters: str) -> Any:
    return driver.connection.request("/", params={"Action": action, **parameters}).object


def test_a_server_is_made_of_the_cheapest_size_that_fits_and_carries_our_key(cloud: LibcloudCloud, driver: Any) -> None:
    node = ensured(cloud)
    assert (node.key, node.state, node.size, node.address) == (KEY, NodeState.RUNNING, "t3.medium", ADDRESS)
    assert cloud.find_server(key=KEY) == node
    assert cloud.list_servers() == [node]
    [found] = driver.list_nodes()
    assert (found.name, found.extra["tags"]["live-key"], found.extra["image_id"]) == (KEY, KEY, IMAGE)
    assert cloud.test_connection() == "Amazon EC2: 1 servers, 1 of them ours"


def test_ensured_again_and_again_there_is_one(cloud: LibcloudCloud, driver: Any) -> None:
    assert ensured(cloud) == ensured(cloud) == ensured(cloud)
    assert len(driver.list_nodes()) == 1


def test_a_server_renamed_by_hand_is_found_by_its_tag(cloud: LibcloudCloud, driver: Any) -> None:
    node = ensured(cloud)
    tag = {"Tag.1.Key": "Name", "Tag.1.Value": "renamed"}
    asked(driver, "CreateTags", **{"ResourceId.1": node.outside_id, **tag})
    assert [found.name for found in driver.list_nodes()] == ["renamed"]
    assert ensured(cloud).outside_id == node.outside_id


def test_a_lost_reply_makes_one_server(cloud: LibcloudCloud, driver: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    create = driver.create_node

    def lose_reply(*args: Any, ex_userdata: str = "", ex_metadata: Any = None, **more: Any) -> None:
        create(*args, ex_userdata=ex_userdata, ex_metadata=ex_metadata, **more)
        raise requests.exceptions.ReadTimeout("read timed out")

    with monkeypatch.context() as patch:
        patch.setattr(driver, "create_node", lose_reply)
        with pytest.raises(TransientError, match="the request timed out"):
            cloud.ensure_server(key=KEY, size=SIZE)
    assert ensured(cloud).key == KEY
    assert len(driver.list_nodes()) == 1


def test_user_data_arrives_as_it_was_written(cloud: LibcloudCloud, driver: Any) -> None:
    ours, theirs = new_key_pair("ours"), new_key_pair("théirs")
    text = render_user_data(key=KEY, host_key=theirs, authorized_key=ours.public, zabbix_server="198.51.100.7")
    node = ensured(cloud, user_data=text)
    answer = asked(driver, "DescribeInstanceAttribute", InstanceId=node.outside_id, Attribute="userData")
    [value] = [item.text for item in answer.iter() if item.tag.endswith("}value")]
    assert base64.b64decode(value).decode() == text


def test_a_destroyed_server_is_gone_and_removal_is_repeatable(cloud: LibcloudCloud) -> None:
    ensured(cloud)
    other = ensured(cloud, "live-OTHER1")
    cloud.remove_server(key=KEY)
    cloud.remove_server(key=KEY)
    assert cloud.find_server(key=KEY) is None
    assert cloud.list_servers() == [other]
    assert ensured(cloud).key == KEY


def test_a_stopped_server_is_said_so(cloud: LibcloudCloud, driver: Any) -> None:
    node = ensured(cloud)
    asked(driver, "StopInstances", **{"InstanceId.1": node.outside_id})
    with pytest.raises(TransientError, match="is stopped at the provider"):
        cloud.ensure_server(key=KEY, size=SIZE)


def test_what_the_cloud_refuses_is_said_in_its_words(driver: Any) -> None:
    cloud = LibcloudCloud(driver=driver, image_id=IMAGE, create_options={"ex_subnet": SimpleNamespace(id="subnet-1")})
    with pytest.raises(PermanentError, match=r"InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist"):
        cloud.ensure_server(key=KEY, size=SIZE)
    assert cloud.find_server(key=KEY) is None


def test_a_size_nobody_offers_is_refused_before_anything_is_made(cloud: LibcloudCloud, driver: Any) -> None:
    with pytest.raises(PermanentError, match="no size with 64 CPUs"):
        cloud.ensure_server(key=KEY, size=Size(cpus=64, ram_gb=512, disk_gb=40))
    assert driver.list_nodes() == []


def test_a_cloud_that_is_not_there_is_transient() -> None:
    where = {"region": "eu-west-1", "host": "127.0.0.1", "port": 9, "secure": False}
    cloud = LibcloudCloud(driver=open_driver("ec2", {"key": "a", "secret": "b", **where}), image_id=IMAGE)
    with pytest.raises(TransientError, match="cannot be reached"):
        cloud.list_servers()


def test_a_server_that_boots_is_reached_by_the_keys_of_its_user_data_alone(tmp_path: Path) -> None:
    with ec2("--boot") as credentials:
        cloud = LibcloudCloud(driver=open_driver("ec2", credentials), image_id=IMAGE, size_ids=SIZES)
        targets = [booted(cloud, key) for key in (KEY, "live-OTHER1")]
        for target in targets:
            assert bootstrap_of(target).state == "done"
            runtime = DockerRuntime(work_dir=tmp_path, ssh=target)
            assert runtime.test_connection().endswith(f" at root@{target.address}")
        with pytest.raises(HostKeyChanged):
            ask(replace(targets[0], address=targets[1].address), "true")
        for key in (KEY, "live-OTHER1"):
            cloud.remove_server(key=key)
        with pytest.raises(TransientError):
            ask(targets[0], "true", timeout=5)


def booted(cloud: LibcloudCloud, key: str) -> SshTarget:
    """A new server, and how it is reached."""
    ours, its = new_key_pair(key), new_key_pair(f"host of {key}")
    text = render_user_data(key=key, host_key=its, authorized_key=ours.public)
    node = ensured(cloud, key, user_data=text)
    return SshTarget(address=node.address, private_key=ours.private, host_key=its.public)
