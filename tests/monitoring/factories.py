"""Many orders at once, without placing each."""

from __future__ import annotations

from collections.abc import Sequence

from infrastructure.models import Deployment, Endpoint, Server
from orders.models import Order, OrderPart


def copies(order: Order, number: int, *, prefix: str = "GX") -> Sequence[Order]:
    """So many orders like this one, each with an address of its own that answers."""
    fields = {
        field.attname: getattr(order, field.attname) for field in Order._meta.concrete_fields if field.attname != "id"
    }
    orders = Order.objects.bulk_create(
        [Order(**fields | {"reference": f"{prefix}{i:04d}", "name": f"maps {i}"}) for i in range(number)]
    )
    parts = list(order.parts.all())
    OrderPart.objects.bulk_create(
        [
            OrderPart(order=server, part=part.part, state=part.state, version=part.version, message=part.message)
            for server in orders
            for part in parts
        ]
    )
    provider = order.server.provider
    servers = Server.objects.bulk_create([Server(order=server, provider=provider) for server in orders])
    deployments = Deployment.objects.bulk_create(
        [Deployment(order=server.order, server=server, release=order.release) for server in servers]
    )
    Endpoint.objects.bulk_create(
        [
            Endpoint(
                order=server.order,
                deployment=server,
                name="wms",
                application="Maps",
                check_url=f"https://{server.order_id}.example/wms",
            )
            for server in deployments
        ]
    )
    return orders
