"""What is known of a size, whichever driver tells it."""

from __future__ import annotations

import pytest
from libcloud.compute.base import NodeSize
from libcloud.compute.providers import get_driver

from core.errors import PermanentError
from infrastructure.adapters.libcloud.cloud import LibcloudCloud
from infrastructure.adapters.libcloud.sizes import is_offered, offer_of
from infrastructure.contracts.cloud import Size
from tests.infrastructure.adapters.libcloud.test_cloud import TableDriver


def size(name: str = "s", driver: str = "Table", **extra: object) -> NodeSize:
    cloud = TableDriver()
    cloud.name = driver
    return NodeSize(name, name, 4096, 40, None, 1.0, cloud, extra)


@pytest.mark.parametrize(
    ("item", "architecture"),
    [
        (size(arch="x86_64"), "amd64"),
        (size(arch="arm64"), "arm64"),
        (size(**{"capabilities:cpu_info:arch": "aarch64"}), "arm64"),
        (size(physicalProcessor="AWS Graviton2 Processor"), "arm64"),
        (size(physicalProcessor="AMD EPYC 7571"), "amd64"),
        (size(vcpus=2), ""),
        (size("Standard_D2ps_v5", "Azure Virtual machines"), "arm64"),
        (size("Standard_D2s_v5", "Azure Virtual machines"), "amd64"),
        (size("t2a-standard-1", "Google Compute Engine"), "arm64"),
        (size("e2-medium", "Google Compute Engine"), "amd64"),
        (size("ecs.g8y.large", "Aliyun ECS"), "arm64"),
        (size("ecs.r6.large", "Aliyun ECS"), "amd64"),
        (size("c3.large.arm64", "EquinixMetal"), "arm64"),
    ],
)
def test_the_processor_is_told_by_the_driver_or_else_by_the_name(item: NodeSize, architecture: str) -> None:
    assert offer_of(item).architecture == architecture


def test_amazons_names_say_the_same_as_its_processors() -> None:
    driver = get_driver("ec2")("key", "secret", region="eu-west-1")
    sizes = driver.list_sizes()
    offers = {offer.outside_id: offer for offer in map(offer_of, sizes)}
    assert [offers[name].architecture for name in ("t4g.medium", "a1.medium", "m6g.large", "is4gen.large")] == [
        "arm64"
    ] * 4
    assert [offers[name].architecture for name in ("t3a.medium", "g5.xlarge", "m6i.large")] == ["amd64"] * 3
    assert {offer.cpus for offer in offers.values()} >= {1, 2, 4, 8}
    for offer in sizes:
        shown = offers[str(offer.id)].architecture
        offer.extra = {}
        assert offer_of(offer).architecture == shown


@pytest.mark.parametrize(
    ("value", "cpus"), [(2, 2), ("4", 4), (1.0, 1), (0.5, 1), ("2B", None), (None, None), ("", None)]
)
def test_processors_are_counted_where_the_driver_counts_them(value: object, cpus: int | None) -> None:
    assert offer_of(size(vcpu=value)).cpus == cpus


@pytest.mark.parametrize(
    ("item", "at_nl", "anywhere"),
    [
        (size(), True, True),
        (size(available=False), False, False),
        (size(disabled=True), False, False),
        (size(availability="shortage"), False, False),
        (size(availability="scarce"), True, True),
        (size(regions=["nl-1", "de-1"]), True, True),
        (size(regions=["de-1"]), False, True),
        (size(locations=[]), False, False),
    ],
)
def test_what_cannot_be_had_is_not_offered(item: NodeSize, at_nl: bool, anywhere: bool) -> None:
    assert (is_offered(item, "nl-1"), is_offered(item)) == (at_nl, anywhere)


class TwoKinds(TableDriver):
    """A cloud whose cheapest size has another processor, and whose next one is sold out."""

    def list_sizes(self, location: object = None) -> list[NodeSize]:
        return [
            NodeSize("arm", "Arm", 4096, 40, 0, 1.0, self, {"vcpus": 2, "arch": "arm64"}),
            NodeSize("gone", "Gone", 4096, 40, 0, 2.0, self, {"vcpus": 2, "arch": "x86_64", "available": False}),
            NodeSize("fit", "Fit", 4096, 40, 0, 3.0, self, {"vcpus": 2, "arch": "x86_64"}),
        ]


@pytest.mark.parametrize(("architecture", "chosen"), [("amd64", "fit"), ("arm64", "arm"), ("", "arm")])
def test_a_server_is_made_for_the_architecture_of_its_image(architecture: str, chosen: str) -> None:
    driver = TwoKinds()
    cloud = LibcloudCloud(driver=driver, image_id="debian-13", architecture=architecture)
    cloud.ensure_server(key="live-gl7k3m", size=Size(cpus=2, ram_gb=4, disk_gb=40))
    assert driver.created[0]["size"] == chosen


def test_a_size_that_was_chosen_and_is_sold_out_meanwhile_is_refused() -> None:
    cloud = LibcloudCloud(driver=TwoKinds(), image_id="debian-13", size_ids=["gone"])
    with pytest.raises(PermanentError, match="no size with 2 CPUs"):
        cloud.ensure_server(key="live-gl7k3m", size=Size(cpus=2, ram_gb=4, disk_gb=40))
