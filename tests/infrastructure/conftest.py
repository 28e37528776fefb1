"""Clouds, hosts and orders for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infrastructure.models import Host, HostSecrets, Provider
from infrastructure.provisioning.reconcile import reconcile_all, reconcile_orders
from orders.models import Order
from orders.services import place_order
from products.models import Release, ReleaseBundle
from tests.driving import Drive
from tests.factories import ReleaseFactory, make_draft
from tests.fakes.ssh import FakeSsh
from tests.infrastructure.outside_world import World

MakeHost = Callable[..., Host]
Place = Callable[..., Order]


@pytest.fixture
def this_room_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No room above follows the orders: their rows would only cost time here."""
    monkeypatch.setattr("orders.followers._followers", {"infrastructure": reconcile_orders})
    monkeypatch.setattr("core.engine.sweep._followers", {"infrastructure": reconcile_all})


@pytest.fixture
def ssh(monkeypatch: pytest.MonkeyPatch) -> FakeSsh:
    """Every machine that is reached over SSH."""
    return FakeSsh().replace(monkeypatch)


@pytest.fixture
def pool(db: object) -> Provider:
    """A pool of existing hosts, empty so far."""
    return Provider.objects.create(slug="pool", name="Our hosts", kind=Provider.Kind.EXISTING)


@pytest.fixture
def cloud(db: object) -> Provider:
    """A cloud behind libcloud."""
    return Provider.objects.create(
        slug="cloud", name="Cloud", kind=Provider.Kind.LIBCLOUD, driver="digitalocean", image="debian-12", rank=20
    )


@pytest.fixture
def make_host(pool: Provider) -> MakeHost:
    """Adds a host to the pool: 4 CPUs, 8 GB and 100 GB, unless told otherwise."""

    def make(name: str = "one", **fields: Any) -> Host:
        number = Host.objects.count() + 1
        values = {"cpus": 4, "ram_gb": 8, "disk_gb": 100, "address": f"198.51.100.{number}", "host_key": f"key {name}"}
        host = Host.objects.create(provider=pool, name=name, **{**values, **fields})
        HostSecrets.objects.create(host=host, private_key="opens it")
        return host

    return make


@pytest.fixture
def release(db: object) -> Release:
    """A release with an empty bundle."""
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    return release


@pytest.fixture
def place(release: Release) -> Place:
    """Places an order approved by its plan, of 2 CPUs, 4 GB and 40 GB unless told otherwise."""

    def place(placement: str = "shared", *, provider_slug: str = "", **size: Any) -> Order:
        plan = {"cpus": 2, "ram_gb": 4, "disk_gb": 40, **size, "placement": placement, "auto_approve": True}
        slug = "-".join([placement, *map(str, plan.values())])
        existing = release.product.plans.filter(slug=slug).first()
        fields = {"plan": existing} if existing else {"plan_fields": {"slug": slug, **plan}}
        return place_order(order=make_draft(release=release, provider_slug=provider_slug, **fields))

    return place


@pytest.fixture
def world(db: None, drive: Drive, monkeypatch: pytest.MonkeyPatch) -> World:
    """A provider, with nothing on either side."""
    return World(drive, monkeypatch)
