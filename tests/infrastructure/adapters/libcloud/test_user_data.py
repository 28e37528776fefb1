"""User-data reaches `create_node` under the name, and in the shape, that each of libcloud's drivers wants."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from libcloud.compute.drivers.azure_arm import AzureNodeDriver
from libcloud.compute.drivers.cloudscale import CloudscaleNodeDriver
from libcloud.compute.drivers.digitalocean import DigitalOcean_v2_NodeDriver
from libcloud.compute.drivers.ec2 import EC2NodeDriver
from libcloud.compute.drivers.equinixmetal import EquinixMetalNodeDriver
from libcloud.compute.drivers.exoscale import ExoscaleNodeDriver
from libcloud.compute.drivers.linode import LinodeNodeDriverV4
from libcloud.compute.drivers.openstack import OpenStack_2_NodeDriver
from libcloud.compute.drivers.outscale import OutscaleNodeDriver
from libcloud.compute.drivers.ovh import OvhNodeDriver
from libcloud.compute.drivers.vultr import VultrNodeDriverV2

from core.errors import ConfigError
from infrastructure.adapters.libcloud.user_data import user_data_options
from infrastructure.sandbox.driver import SandboxNodeDriver

TEXT = "#cloud-config\n"

TAKEN = [
    (EC2NodeDriver, {"ex_userdata": TEXT}),
    (OpenStack_2_NodeDriver, {"ex_userdata": TEXT}),
    (ExoscaleNodeDriver, {"ex_userdata": TEXT}),
    (LinodeNodeDriverV4, {"ex_userdata": TEXT}),
    (VultrNodeDriverV2, {"ex_userdata": TEXT}),
    (SandboxNodeDriver, {"ex_userdata": TEXT}),
    (DigitalOcean_v2_NodeDriver, {"ex_user_data": TEXT}),
    (EquinixMetalNodeDriver, {"cloud_init": TEXT}),
    (AzureNodeDriver, {"ex_customdata": TEXT.encode()}),
    (OutscaleNodeDriver, {"ex_user_data": "I2Nsb3VkLWNvbmZpZwo="}),
    (CloudscaleNodeDriver, {"ex_create_attr": {"zone": "rma1", "user_data": TEXT}}),
]


def options(driver: Any, text: str) -> dict[str, Any]:
    accepted = inspect.signature(driver.create_node).parameters
    return user_data_options(driver.name, accepted, {"ex_create_attr": {"zone": "rma1"}}, text)


@pytest.mark.parametrize(("driver", "arguments"), TAKEN, ids=[driver.name for driver, _ in TAKEN])
def test_each_driver_is_given_user_data_as_it_takes_it(driver: Any, arguments: dict[str, Any]) -> None:
    assert options(driver, TEXT) == arguments


def test_a_driver_that_cannot_hand_it_over_is_a_matter_of_settings() -> None:
    with pytest.raises(ConfigError, match="does not support user-data"):
        options(OvhNodeDriver, TEXT)


def test_without_user_data_nothing_is_added() -> None:
    assert options(OvhNodeDriver, "") == {}
