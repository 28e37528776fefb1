"""Which ports an order is published at, and under which address."""

from __future__ import annotations

import random
from collections.abc import Sequence

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from core.errors import Refusal
from infrastructure.contracts.runtime import Port
from infrastructure.models import Deployment, Provider, PublishedPort, Server
from infrastructure.placement.places import hold_places

FIRST_PORT, LAST_PORT = 20_000, 29_999


class NoPorts(Refusal):
    """The machine has no port left for the order's services."""

    code = "no_ports"


def publish_ports(deployment: Deployment) -> None:
    """Every (service, port) that an endpoint names has a port of its own on the host; call it inside a transaction.

    Refuses, and has changed nothing, where the host has not that many left.
    """
    if deployment.server.provider.is_sandbox:
        return
    hold_places()
    host = published_at(deployment.server)
    wanted = sorted({(one["service"], int(one["port"])) for one in deployment.release.endpoints})
    highest = PublishedPort.objects.filter(host=host).aggregate(Max("host_port"))["host_port__max"]
    free = _free_ports(deployment.server, highest or FIRST_PORT - 1)
    if len(free) < len(wanted):
        words = _("%(host)s has %(free)s ports left of %(first)s to %(last)s, and %(wanted)s are wanted.")
        numbers = {"free": len(free), "first": FIRST_PORT, "last": LAST_PORT, "wanted": len(wanted)}
        raise NoPorts(words % {"host": host, **numbers})
    PublishedPort.objects.bulk_create(
        PublishedPort(deployment=deployment, host=host, host_port=host_port, service=service, container_port=port)
        for host_port, (service, port) in zip(free, wanted, strict=False)
    )


def give_another_port(deployment: Deployment, port: int) -> None:
    """The deployment has another port instead of this one, which the machine turned out to lack; inside a transaction.

    From anywhere in the range, since whoever took it has often taken its neighbours as well.
    """
    hold_places()
    free = _free_ports(deployment.server, random.randrange(FIRST_PORT, LAST_PORT))  # noqa: S311
    if free:
        deployment.ports.filter(host_port=port).update(host_port=free[0])


def published_at(server: Server) -> str:
    """The machine whose ports are handed out: an existing host, this machine, or the order's own server."""
    if server.host is not None:
        return server.host.address
    return server.order.key if server.provider.makes_servers else server.provider.slug


def _free_ports(server: Server, highest: int) -> Sequence[int]:
    """Ports above the highest first, so that one just freed is not handed out at once."""
    mine = PublishedPort.objects.filter(host=published_at(server))
    if server.provider.kind == Provider.Kind.LOCAL:
        # However many providers stand for it, there is one machine.
        mine = PublishedPort.objects.filter(deployment__server__provider__kind=Provider.Kind.LOCAL)
    taken = set(mine.values_list("host_port", flat=True))
    ring = [*range(highest + 1, LAST_PORT + 1), *range(FIRST_PORT, min(highest, LAST_PORT) + 1)]
    return [port for port in ring if port not in taken]


def ports_of(deployment: Deployment) -> tuple[Port, ...]:
    """The deployment's published ports as the runtime takes them."""
    return tuple(
        Port(service=row.service, container_port=row.container_port, host_port=row.host_port)
        for row in deployment.ports.order_by("host_port")
    )


def base_url(deployment: Deployment, service: str, port: int) -> str:
    """Where `service`:`port` of the deployment is reached from outside, without a trailing slash."""
    provider = deployment.server.provider
    if provider.is_sandbox:
        return f"{settings.SITE_URL}/sandbox/{deployment.order.key}"
    row = next(one for one in ports_of(deployment) if (one.service, one.container_port) == (service, port))
    return f"http://{deployment.server.address}:{row.host_port}"
