"""Where an order goes, and which ports and addresses it gets there."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.db.models import Max
from django.utils.translation import gettext as _

from infrastructure.adapters.words import Port
from infrastructure.models import Deployment, Provider, PublishedPort
from live.lib.errors import Refusal
from orders.models import Order

FIRST_PORT, LAST_PORT = 20_000, 29_999


class NoProvider(Refusal):
    """No provider can take the order."""

    code = "no_provider"


def choose_provider(order: Order) -> Provider:
    """The provider asked for, or the first enabled one; sandbox orders go to sandboxes and no others do."""
    fitting = Provider.objects.filter(is_enabled=True)
    sandbox = Provider.Kind.SANDBOX
    fitting = fitting.filter(kind=sandbox) if order.is_sandbox else fitting.exclude(kind=sandbox)
    if order.provider_slug:
        fitting = fitting.filter(slug=order.provider_slug)
    provider = fitting.first()
    if provider is None:
        raise NoProvider(
            _("No enabled provider for this order (asked for: %(slug)s, sandbox: %(sandbox)s).")
            % {"slug": order.provider_slug or _("any"), "sandbox": _("yes") if order.is_sandbox else _("no")}
        )
    return provider


def publish_ports(deployment: Deployment) -> None:
    """Every (service, port) that an endpoint names has a port of its own on the host; call it inside a transaction."""
    provider = deployment.server.provider
    if provider.is_sandbox:
        return
    Provider.objects.select_for_update().get(pk=provider.pk)  # one at a time, or two would pick the same port
    wanted = {(one["service"], int(one["port"])) for one in deployment.release.endpoints}
    highest = PublishedPort.objects.filter(host=provider.slug).aggregate(Max("host_port"))["host_port__max"]
    free = iter(_free_ports(provider.slug, highest or FIRST_PORT - 1))
    PublishedPort.objects.bulk_create(
        PublishedPort(
            deployment=deployment, host=provider.slug, host_port=next(free), service=service, container_port=port
        )
        for service, port in sorted(wanted)
    )


def _free_ports(host: str, highest: int) -> Sequence[int]:
    """Ports above the highest first, so that one just freed is not handed out at once."""
    taken = set(PublishedPort.objects.filter(host=host).values_list("host_port", flat=True))
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
