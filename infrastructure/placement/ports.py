"""Assigns the host ports of an order, and the addresses of its endpoints."""

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
    """The machine has no free port for the order's services."""

    code = "no_ports"


def publish_ports(deployment: Deployment) -> None:
    """Each (service, port) named by an endpoint has a host port of its own; call it inside a transaction.

    A port keeps its number while the order lives, whatever releases come and go. Refuses, without any change, if the
    host has too few free ports.
    """
    if deployment.server.provider.is_sandbox:
        return
    published = set(deployment.ports.values_list("service", "container_port"))
    wanted = sorted(_offered_ports(deployment) - published)
    if not wanted:
        return
    hold_places()
    host = published_at(deployment.server)
    highest = PublishedPort.objects.filter(host=host).aggregate(Max("host_port"))["host_port__max"]
    free = _free_ports(deployment.server, highest or FIRST_PORT - 1)
    if len(free) < len(wanted):
        message = _("%(host)s has %(free)s free ports between %(first)s and %(last)s; %(wanted)s needed.")
        numbers = {"free": len(free), "first": FIRST_PORT, "last": LAST_PORT, "wanted": len(wanted)}
        raise NoPorts(message % {"host": host, **numbers})
    PublishedPort.objects.bulk_create(
        PublishedPort(deployment=deployment, host=host, host_port=host_port, service=service, container_port=port)
        for host_port, (service, port) in zip(free, wanted, strict=False)
    )


def _offered_ports(deployment: Deployment) -> set[tuple[str, int]]:
    """The (service, container port) pairs that the wanted release publishes."""
    return {(endpoint["service"], int(endpoint["port"])) for endpoint in deployment.release.endpoints}


def give_another_port(deployment: Deployment, port: int) -> None:
    """Replace a port that another program on the machine uses; call it inside a transaction.

    The new port is picked at random, since the neighbours of a used port are often in use as well.
    """
    hold_places()
    free = _free_ports(deployment.server, random.randrange(FIRST_PORT, LAST_PORT))  # noqa: S311
    if free:
        deployment.ports.filter(host_port=port).update(host_port=free[0])


def published_at(server: Server) -> str:
    """The machine whose ports are assigned: an existing host, this machine, or the order's own server."""
    if server.host is not None:
        return server.host.address
    return server.order.key if server.provider.makes_servers else server.provider.slug


def _free_ports(server: Server, highest: int) -> Sequence[int]:
    """Ports above the highest first, so that a released port is not assigned again at once."""
    published = PublishedPort.objects.filter(host=published_at(server))
    if server.provider.kind == Provider.Kind.LOCAL:
        # Several providers may represent this machine; its ports exist once.
        published = PublishedPort.objects.filter(deployment__server__provider__kind=Provider.Kind.LOCAL)
    taken = set(published.values_list("host_port", flat=True))
    ring = [*range(highest + 1, LAST_PORT + 1), *range(FIRST_PORT, min(highest, LAST_PORT) + 1)]
    return [port for port in ring if port not in taken]


def ports_of(deployment: Deployment) -> tuple[Port, ...]:
    """The published ports of the wanted release as the runtime expects them; other releases' ports stay reserved."""
    offered = _offered_ports(deployment)
    return tuple(
        Port(service=row.service, container_port=row.container_port, host_port=row.host_port)
        for row in deployment.ports.order_by("host_port")
        if (row.service, row.container_port) in offered
    )


def base_url(deployment: Deployment, service: str, port: int) -> str:
    """The public address of `service`:`port` of the deployment, without a trailing slash."""
    provider = deployment.server.provider
    if provider.is_sandbox:
        return f"{settings.SITE_URL}/sandbox/{deployment.order.key}"
    row = next(item for item in ports_of(deployment) if (item.service, item.container_port) == (service, port))
    return f"http://{deployment.server.address}:{row.host_port}"
