"""Converts libcloud's sizes: each driver stores the same facts under names of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from infrastructure.contracts.cloud import SizeOffer

CPU_NAMES = (
    "cpu",
    "cpus",
    "vcpu",
    "vcpus",
    "vcpu_count",
    "cpu_count",
    "cpu_core_count",
    "core_number",
    "cores",
    "cpuCores",
    "numberOfCores",
    "guestCpus",
)
# Fields that describe the processor: of Scaleway, Amazon, and the flavours of an OpenStack.
PROCESSOR_NAMES = ("arch", "architecture", "cpu_arch", "physicalProcessor", "cpu_model", "instance_type_family")
_ARM = re.compile(r"\barm|aarch64|graviton|ampere|\bapple m\d", re.I)
_INTEL = re.compile(r"x86|x64|amd|intel|i386", re.I)
# Last resort, for drivers without such fields: how their clouds name sizes with ARM processors.
_ARM_SIZES: Mapping[str, re.Pattern[str]] = {
    "Amazon EC2": re.compile(r"(a1|[a-z]+\d+g[a-z]*)\."),
    "Azure Virtual machines": re.compile(r"Standard_[A-Z]+\d+(-\d+)?[a-z]*p[a-z]*_v\d"),
    "Google Compute Engine": re.compile(r"(t2a|c4a|n4a|a4x)-"),
    "Aliyun ECS": re.compile(r"ecs\.[a-z]+\d+[ry][a-z]*\."),
    "EquinixMetal": re.compile(r".*\.arm"),
    "Scaleway": re.compile(r"ARM|AMP2|COPARM"),
}


def offer_of(size: Any) -> SizeOffer:
    """The libcloud size as an offer."""
    return SizeOffer(
        outside_id=str(size.id),
        name=str(size.name or size.id),
        cpus=_cpus(size),
        ram_gb=(size.ram or 0) / 1024,
        disk_gb=int(size.disk or 0),
        price=Decimal(str(size.price)) if size.price else None,
        architecture=_architecture(size),
    )


def is_offered(size: Any, location_id: str = "") -> bool:
    """False if the cloud offers no servers of this size, or none at the location."""
    if size.extra.get("available") is False or size.extra.get("disabled") is True:
        return False
    if size.extra.get("availability") in ("shortage", "unavailable"):
        return False
    places = next((size.extra[name] for name in ("regions", "locations") if name in size.extra), None)
    if not isinstance(places, list | tuple):
        return True
    return location_id in map(str, places) if location_id else bool(places)


def _cpus(size: Any) -> int | None:
    """The number of processors; None if unknown."""
    for name in CPU_NAMES:
        value = str(size.extra.get(name, getattr(size, name, None)) or "")
        if re.fullmatch(r"\d+(\.\d+)?", value):
            return max(1, int(float(value)))
    return None


def _architecture(size: Any) -> str:
    """`amd64` or `arm64`, as Docker calls them; empty if unknown."""
    for name, value in size.extra.items():
        if name.rpartition(":")[2] in PROCESSOR_NAMES and (architecture := _architecture_in(str(value))):
            return architecture
    by_name = _ARM_SIZES.get(str(size.driver.name))
    return "" if by_name is None else "arm64" if by_name.match(str(size.id)) else "amd64"


def _architecture_in(text: str) -> str:
    if _ARM.search(text):
        return "arm64"
    return "amd64" if _INTEL.search(text) else ""
