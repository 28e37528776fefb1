"""A product in three releases and orders of it in the sandbox, for the tests of changes."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxComposition, SandboxSwitches
from orders.models import Order, OrderChange
from orders.services import place_order
from products.models import Product, Release, ReleaseBundle
from tests.driving import Drive
from tests.factories import MANIFEST, ReleaseFactory, make_draft

COMPOSE = """
services:
  gateway:
    image: registry.example/gateway:{version}
    environment: {{TITLE: "${{TITLE}}"}}
    volumes: ["maps:/data"]
volumes:
  maps: {{}}
"""
CSW = {
    "name": "csw",
    "application": "Catalogue",
    "service": "gateway",
    "port": 80,
    "path": "/csw",
    "check": {"path": "/csw?request=GetCapabilities", "status": 200, "contains": "Capabilities", "max_seconds": 5},
}


def make_release(product: Product | None, version: str, **manifest: Any) -> Release:
    """A release with an empty bundle; `manifest` replaces parts of the usual one."""
    more = {"product": product} if product else {}
    content = {**deepcopy(MANIFEST), **manifest}
    release: Release = ReleaseFactory(
        version=version, manifest=content, compose=COMPOSE.format(version=version), **more
    )
    ReleaseBundle.objects.create(release=release, archive=b"")
    Product.objects.filter(pk=release.product_id).update(present_release=release)
    return release


class Changing:
    """A sandbox, a product with the releases v1 and v2, and a running order on v1."""

    def __init__(self, drive: Drive) -> None:
        self.drive = drive
        provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
        self.switches = SandboxSwitches.objects.create(provider=provider)
        self.v1 = make_release(None, "v1")
        self.order = self.place()
        self.v2 = make_release(self.v1.product, "v2")

    def place(self, **fields: Any) -> Order:
        """Another running order on v1."""
        plan = self.v1.product.plans.first()
        fields = {"plan": plan} if plan else {"plan_fields": {"auto_approve": True}, **fields}
        order = place_order(order=make_draft(release=self.v1, sandbox=True, **fields))
        self.drive.settle()
        order.refresh_from_db()
        assert order.state == "active", order.reason
        return order

    def fresh(self) -> Order:
        """The order as it is stored now."""
        return Order.objects.get(pk=self.order.pk)

    @property
    def change(self) -> OrderChange:
        """The order's last change."""
        return OrderChange.objects.filter(order=self.order).latest("pk")

    @property
    def runs(self) -> str:
        """The digest of the release whose services run."""
        composition = SandboxComposition.objects.get(key=self.order.key)
        assert not composition.is_stopped
        return composition.digest

    def say(self) -> list[str]:
        """The messages on the timeline that the customer reads, oldest first."""
        return list(self.order.events.filter(is_public=True).values_list("message", flat=True))
