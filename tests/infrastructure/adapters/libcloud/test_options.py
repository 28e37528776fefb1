"""Networks and their like are named by staff and handed to drivers as the objects they want."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from libcloud.compute.drivers.cloudstack import CloudStackNodeDriver
from libcloud.compute.drivers.openstack import OpenStack_2_NodeDriver
from libcloud.compute.providers import get_driver

from core.errors import ConfigError, TransientError
from infrastructure.adapters.libcloud.cloud import LibcloudCloud
from infrastructure.adapters.libcloud.offers import read_offer
from infrastructure.adapters.libcloud.options import network_option, with_network, with_objects
from infrastructure.contracts.cloud import Choice, Size
from tests.infrastructure.adapters.libcloud.test_cloud import TableDriver

INSIDE, OUTSIDE, TWIN = (
    SimpleNamespace(id=f"n-{n}", name=name) for n, name in enumerate(("inside", "outside", "twin"))
)


class Networked(TableDriver):
    """A cloud with networks, and groups that are names."""

    networks = (INSIDE, OUTSIDE, TWIN, SimpleNamespace(id="n-9", name="twin"))

    def ex_list_networks(self) -> list[Any]:
        self._called("ex_list_networks")
        return list(self.networks)

    def ex_list_security_groups(self) -> list[str]:
        return ["web", "default"]

    def create_node(self, *args: Any, networks: Any = None, ex_security_groups: Any = None, **more: Any) -> Any:
        self.given = {"networks": networks, "ex_security_groups": ex_security_groups}
        return super().create_node(*args, **more)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"networks": ["n-0", "outside"]}, {"networks": [INSIDE, OUTSIDE]}),
        ({"networks": "inside"}, {"networks": INSIDE}),
        ({"networks": [INSIDE]}, {"networks": [INSIDE]}),
        ({"ex_security_groups": ["web"]}, {"ex_security_groups": ["web"]}),
        ({"ex_subnet": "no list of it", "x": 1}, {"ex_subnet": "no list of it", "x": 1}),
        ({}, {}),
    ],
)
def test_ids_and_names_become_the_drivers_objects(given: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert with_objects(Networked(), given) == wanted


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        (
            "mars",
            r"Table has no 'mars' for networks; it has inside \(n-0\), outside \(n-1\), twin \(n-2\), twin \(n-9\)",
        ),
        ("twin", "Table has several called 'twin' for networks: n-2, n-9; name one by its id"),
    ],
)
def test_a_name_that_is_not_one_network_is_a_matter_of_settings(wish: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        with_objects(Networked(), {"networks": [wish]})


def test_a_cloud_that_does_not_list_its_networks_now_is_asked_again() -> None:
    driver = Networked()
    driver.fails["ex_list_networks"] = TimeoutError("timed out")
    cloud = LibcloudCloud(driver=driver, image_id="debian-13", network_id="inside")
    with pytest.raises(TransientError, match="Table cannot be reached"):
        cloud.ensure_server(key="live-gl7k3m", size=Size(cpus=2, ram_gb=4, disk_gb=40))
    assert driver.nodes == []


def test_a_server_is_made_in_the_chosen_network() -> None:
    driver = Networked()
    cloud = LibcloudCloud(driver=driver, image_id="debian-13", network_id="n-1")
    cloud.ensure_server(key="live-gl7k3m", size=Size(cpus=2, ram_gb=4, disk_gb=40))
    assert driver.given["networks"] == [OUTSIDE]


def test_what_the_options_name_goes_before_what_was_chosen() -> None:
    assert with_network(Networked(), {"networks": ["inside"]}, "n-1") == {"networks": ["inside"]}
    assert with_network(Networked(), {}, "") == {}
    with pytest.raises(ConfigError, match="does not support choosing a network"):
        with_network(TableDriver(), {}, "n-1")


def test_networks_are_on_offer() -> None:
    assert read_offer(Networked()).networks[:1] == [Choice(outside_id="n-0", name="inside")]
    assert read_offer(TableDriver()).networks == []


def test_known_clouds_are_told_a_network_in_their_own_way() -> None:
    amazon = get_driver("ec2")("key", "secret", region="eu-west-1")
    assert network_option(amazon) == "ex_subnet"
    assert network_option(OpenStack_2_NodeDriver) == "networks"
    assert network_option(CloudStackNodeDriver) == "networks"
