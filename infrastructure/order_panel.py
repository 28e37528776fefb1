"""Server, composition, endpoints and services on an order's page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.read_only_rows import when
from core.text.units import cpu_words
from infrastructure.models import Deployment, Provider, Server, Service
from infrastructure.observation.display import format_bytes, format_memory, observations_of
from infrastructure.placement.preview import OrderPlan, plan_of
from orders.choices import Part, Wanted
from orders.models import Order
from orders.order_panels import Fact, OrderPanel, OrderPanels, PartRow, part_row

TONES = {
    "running": "success",
    "starting": "info",
    "restarting": "warning",
    "unhealthy": "danger",
    "unknown": "warning",
}


class InfrastructurePanels(OrderPanels):
    """The panels of this app on an order's page."""

    name: ClassVar[str] = "infrastructure"

    def part_rows(self, order: Order) -> Iterable[PartRow]:
        """The server and the deployment."""
        if (server := _server(order)) is not None:
            place = f"{server.outside_id or server} · {server.provider.name}"
            yield part_row(Part.SERVER, server, place)
        if (deployment := _deployment(order)) is not None:
            yield part_row(Part.COMPOSITION, deployment, str(deployment.release))

    def panels(self, order: Order) -> Iterable[OrderPanel]:
        """Endpoints with their last check, and services with their usage."""
        endpoints = [(row, when(row.checked_at), when(row.next_attempt_at)) for row in order.endpoints.all()]
        if endpoints:
            template = "admin/infrastructure/_endpoints.html"
            yield OrderPanel(title=_("Endpoints"), template=template, values={"endpoints": endpoints})
        deployment = _deployment(order)
        if deployment is not None and (services := list(deployment.services.all())):
            template = "admin/infrastructure/_services.html"
            values = {
                "services": [_service_line(row) for row in services],
                "observations": observations_of(deployment.server),
                "provider": deployment.server.provider_id,
                "back": reverse("admin:orders_order_change", args=(order.pk,)),
            }
            updated = when(min(row.seen_at for row in services))
            yield OrderPanel(title=_("Services, updated %(ago)s") % {"ago": updated}, template=template, values=values)

    def plan(self, order: Order) -> Iterable[Fact]:
        """The planned provider, server and cost; containers, endpoints and monitors."""
        plan = plan_of(order)
        if plan.problem:
            providers = reverse("admin:infrastructure_provider_changelist")
            yield Fact(label=_("Provider"), value=plan.problem, is_problem=True, url=providers)
        else:
            yield Fact(label=_("Provider"), value=f"{plan.provider} · {plan.host}" if plan.host else plan.provider)
        if plan.makes_server and not plan.problem:
            yield Fact(label=_("Server"), value=_planned_size(plan))
        built = _("built from the release")
        containers = [f"{row.name} ({built if row.is_built else row.image})" for row in plan.containers]
        yield Fact(label=_("Containers"), value=", ".join(containers))
        yield Fact(label=_("Volumes"), value=", ".join(plan.volumes) or _("none"))
        yield Fact(label=_("Ports"), value=", ".join(f"{port.service}:{port.port}" for port in plan.ports) or _("none"))
        endpoints = [f"{endpoint.application} ({endpoint.path})" for endpoint in plan.endpoints]
        yield Fact(label=_("Endpoints"), value=", ".join(endpoints) or _("none"))
        yield Fact(label=_("Monitors"), value=", ".join(plan.monitors) or _("none"))

    def planned(self, order: Order, *, inside: bool) -> Mapping[str, Any]:
        """The plan as JSON; with `inside`, also provider, host, size and cost, which are for staff."""
        plan = plan_of(order)
        server: dict[str, Any] = {**asdict(plan.wish), "placement": plan.placement}
        if inside:
            price = plan.monthly_price
            server |= {
                "provider": plan.provider_slug,
                "host": plan.host,
                "size": plan.size.name if plan.size else None,
                "monthly_cost": {"amount": f"{price.amount:f}", "currency": price.currency} if price else None,
            }
        return {
            "problem": plan.problem if inside or not plan.problem else _("Cannot be set up at the moment."),
            "server": server,
            "containers": [{"name": row.name, "image": row.image, "built": row.is_built} for row in plan.containers],
            "volumes": list(plan.volumes),
            "ports": [asdict(port) for port in plan.ports],
            "endpoints": [
                {"name": endpoint.name, "application": endpoint.application, "path": endpoint.path}
                for endpoint in plan.endpoints
            ],
            "monitors": list(plan.monitors),
        }

    def would_destroy(self, order: Order) -> Iterable[str]:
        """The server with its disk, and the composition with its data."""
        server, deployment = _server(order), _deployment(order)
        if deployment is not None and not _is_gone(deployment):
            names = ", ".join(deployment.services.values_list("name", flat=True)) or str(deployment.release)
            yield _("The composition: services (%(names)s), networks and volumes, with all data.") % {"names": names}
            if count := order.endpoints.count():
                yield ngettext("%(count)s endpoint.", "%(count)s endpoints.", count) % {"count": count}
        if server is not None and not _is_gone(server):
            yield _removed_server(server)

    def places(self) -> Iterable[tuple[str, str]]:
        """The enabled providers."""
        return Provider.objects.filter(is_enabled=True).values_list("slug", "name")


def _removed_server(server: Server) -> str:
    """What is removed with the server; existing machines are kept."""
    if server.host is not None:
        return _("Its share of host %(host)s; the host is kept.") % {"host": server.host}
    if server.provider.kind == Provider.Kind.LOCAL:
        return _("Its share of this machine; the machine is kept.")
    name = server.outside_id or server.order.key
    return _("Server %(name)s at %(provider)s, with its disk.") % {"name": name, "provider": server.provider}


def _service_line(row: Service) -> dict[str, Any]:
    """A service as formatted text."""
    return {
        "row": row,
        "tone": TONES.get(row.state, ""),
        "digest": row.digest.removeprefix("sha256:")[:12],
        "started": when(row.started_at),
        "memory": format_memory(row.memory_bytes, row.memory_limit_bytes),
        "disk": format_bytes(row.disk_bytes),
    }


def _planned_size(plan: OrderPlan) -> str:
    if plan.size is None:
        wish = plan.wish
        text = _("The cheapest size with %(cpus)s, %(ram)s GB of memory and %(disk)s GB of disk")
        return text % {"cpus": cpu_words(wish.cpus), "ram": wish.ram_gb, "disk": wish.disk_gb}
    name = plan.size.name
    if plan.is_plans_size:
        name = _("%(size)s (set for this plan)") % {"size": name}
    if plan.monthly_price is None:
        return _("%(size)s, price unknown") % {"size": name}
    return _("%(size)s, %(price)s a month") % {"size": name, "price": plan.monthly_price}


def _server(order: Order) -> Server | None:
    return Server.objects.filter(order=order).select_related("provider", "host", "order").first()


def _deployment(order: Order) -> Deployment | None:
    return (
        Deployment.objects.filter(order=order)
        .select_related("release__product", "server__provider", "server__host")
        .first()
    )


def _is_gone(row: Server | Deployment) -> bool:
    return row.wanted == Wanted.REMOVED and row.is_settled
