"""What drivers want to be built with, and what their clouds offer."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import ConfigError, TransientError
from infrastructure.adapters.libcloud.cloud import driver_names
from infrastructure.adapters.libcloud.offers import driver_arguments, read_offer
from infrastructure.contracts.cloud import SizeOffer
from tests.infrastructure.adapters.libcloud.test_cloud import TableDriver


@pytest.mark.parametrize("name", driver_names())
def test_every_driver_can_be_asked(name: str) -> None:
    assert driver_arguments(name)


def test_a_driver_tells_what_it_wants_first() -> None:
    arguments = driver_arguments("ovh")
    assert [argument.name for argument in arguments if argument.is_required] == ["key", "secret", "ex_project_id"]
    assert {argument.name: argument.default for argument in driver_arguments("ec2")}["region"] == "us-east-1"
    assert "ex_force_auth_url" in [argument.name for argument in driver_arguments("openstack")]
    assert [argument.is_secret for argument in arguments[:3]] == [True, True, False]


def test_an_unknown_driver_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="no provider called 'nebula'"):
        driver_arguments("nebula")


def test_an_offer_is_in_our_words() -> None:
    offer = read_offer(TableDriver())
    assert [location.outside_id for location in offer.locations] == ["nl-1", "de-1"]
    assert offer.sizes[2] == SizeOffer(outside_id="fit", name="Fit", cpus=2, ram_gb=4, disk_gb=40, price=Decimal("4.0"))
    assert offer.images == []


def test_a_cloud_that_does_not_answer_is_an_error_of_ours() -> None:
    driver = TableDriver()
    driver.fails["list_sizes"] = TimeoutError("timed out")
    with pytest.raises(TransientError, match="Table cannot be reached"):
        read_offer(driver)
