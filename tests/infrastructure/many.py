"""Many active sandbox orders at once, on both sides, in a few statements."""

from __future__ import annotations

from datetime import timedelta

from core import clock
from infrastructure.models import Deployment, Provider, Server
from infrastructure.sandbox.models import SandboxComposition, SandboxNode, SandboxSwitches
from orders.choices import State
from orders.models import Order
from products.models import Plan, Release
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory

NAMES = ("catalogue", "database", "gateway", "maps", "monitor")
COMPOSE = "services:\n" + "".join(f"  {name}:\n    image: {name}:1\n" for name in NAMES)


def make_many(provider: Provider, count: int) -> None:
    """So many more orders run at the provider, five services each, for an hour."""
    SandboxSwitches.objects.get_or_create(provider=provider)
    release = Release.objects.filter(compose=COMPOSE).first() or ReleaseFactory(compose=COMPOSE)
    plan = Plan.objects.filter(product=release.product).first() or PlanFactory(product=release.product)
    customer, ago, first = CustomerFactory(), clock.now() - timedelta(hours=1), Order.objects.count()
    orders = Order.objects.bulk_create(
        Order(
            reference=f"GL{first + n:06}",
            customer=customer,
            release=release,
            plan=plan,
            name=f"maps {first + n}",
            is_sandbox=True,
            state=State.ACTIVE,
            placed_at=ago,
            approved_at=ago,
        )
        for n in range(count)
    )
    nodes = SandboxNode.objects.bulk_create(
        SandboxNode(provider=provider, name=order.key, size="sandbox-2", ready_at=ago) for order in orders
    )
    servers = Server.objects.bulk_create(
        Server(
            order=order,
            provider=provider,
            done_version=1,
            outside_id=f"sbx-{node.pk}",
            address=f"192.0.2.{node.pk % 254 + 1}",
            size="sandbox-2",
        )
        for order, node in zip(orders, nodes, strict=True)
    )
    Deployment.objects.bulk_create(
        Deployment(order=server.order, server=server, release=release, done_version=1, launched_at=ago)
        for server in servers
    )
    SandboxComposition.objects.bulk_create(
        SandboxComposition(
            provider=provider, key=order.key, digest="0", services={name: f"{name}:1" for name in NAMES}, ready_at=ago
        )
        for order in orders
    )
    Server.objects.update(updated_at=ago)
    Deployment.objects.update(updated_at=ago)
