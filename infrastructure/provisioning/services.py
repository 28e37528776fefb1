"""What other rooms may ask of an order's servers and compositions."""

from __future__ import annotations

from collections.abc import Sequence

from infrastructure.backends import get_cloud, get_runtime
from infrastructure.contracts.runtime import LeftBehind
from infrastructure.models import Provider, Server
from orders.models import Order


def left_behind(order: Order) -> Sequence[LeftBehind]:
    """What still exists outside under the order's key; calls the provider, so never use it in a web request."""
    server = Server.objects.filter(order=order).select_related("provider", "host", "order").first()
    if server is None:
        return ()
    node = get_cloud(server.provider).find_server(key=server.key)
    nodes = [LeftBehind(kind="server", name=node.outside_id)] if node else []
    if server.provider.kind == Provider.Kind.LIBCLOUD:
        return nodes  # its engine was removed with it
    return [*get_runtime(server).left_behind(key=order.key), *nodes]
