"""Orders of a composition made up by a test, on a lab host or on an engine of this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from infrastructure.adapters.ssh.hosts import SshTarget
from infrastructure.models import Host, HostSecrets, Provider
from orders.choices import Part, PartState, State
from orders.models import Order
from orders.services import place_order, remove_order
from products.models import Product, Release, ReleaseBundle
from tests.factories import MANIFEST, ReleaseFactory, make_draft
from tests.infrastructure.contracts.test_runtime_contract import bundle

DriveUntil = Callable[[Callable[[], bool], float], None]
IDLE = "services: {gateway: {image: 'debian:bookworm-slim', init: true, command: sleep infinity}}"


def pool_of(target: SshTarget) -> Host:
    """A provider with one host of room enough."""
    provider = Provider.objects.create(slug="pool", name="Pool", kind=Provider.Kind.EXISTING)
    host = Host.objects.create(
        provider=provider,
        name="lab",
        address=target.address,
        port=target.port,
        host_key=target.host_key,
        cpus=8,
        ram_gb=16,
        disk_gb=100,
    )
    HostSecrets.objects.create(host=host, private_key=target.private_key)
    return host


def release_of(compose: str, *, product: Product | None = None, **files: str) -> Release:
    """A release with this compose file and these files beside it."""
    manifest = {**MANIFEST, "secrets": [*MANIFEST["secrets"], {"key": "token", "label": "Token", "length": 40}]}
    more = {"product": product} if product else {}
    release: Release = ReleaseFactory(compose=compose, manifest=manifest, **more)
    ReleaseBundle.objects.create(release=release, archive=bundle(**files) if files else b"")
    return release


def place(compose: str, **files: str) -> Order:
    """An approved order of such a release."""
    small = {"cpus": 1, "ram_gb": 1, "disk_gb": 1, "placement": "shared", "auto_approve": True}
    return place_order(order=make_draft(release=release_of(compose, **files), plan_fields=small))


def part_of(order: Order, part: Part = Part.COMPOSITION) -> tuple[str, str]:
    """The state and the message of one part of the order as it is now."""
    row = order.parts.filter(part=part).first()
    return (row.state, row.message) if row else ("", "")


def needs_attention(order: Order) -> bool:
    """True once the order waits for a person."""
    order.refresh_from_db()
    return order.state == State.ATTENTION


def is_launched(order: Order) -> bool:
    """True once the composition runs; an order that needs a person fails the test with its reason."""
    assert not needs_attention(order), order.reason
    return part_of(order)[0] == PartState.READY


def clear_away(order: Order, drive_until: DriveUntil) -> None:
    """Nothing of the order is left anywhere."""

    def is_gone() -> bool:
        order.refresh_from_db()
        return order.state == State.REMOVED

    remove_order(order=order)
    drive_until(is_gone, 60)


def command_lines() -> Iterator[tuple[str, bytes]]:
    """Every process's command line, as anybody on this machine sees it."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield str(path), path.read_bytes()
        except OSError:
            continue
