"""Builds the specs for the backend from our rows."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import prefetch_related_objects

from infrastructure.models import Endpoint
from monitoring.contracts.backend import CheckSpec, MonitorSpec
from monitoring.models import Monitor
from orders.models import Order

RELATED = ("order__customer", "order__plan", "order__release__product", "order__server")


def specs_of(rows: Sequence[Monitor]) -> list[MonitorSpec]:
    """One spec per monitor, in the same order; one query for all their endpoints."""
    prefetch_related_objects(rows, "order__endpoints")
    return [spec_of(row.order) for row in rows]


def spec_of(order: Order) -> MonitorSpec:
    """The checks of one order."""
    product = order.release.product
    return MonitorSpec(
        key=order.key,
        name=f"{order.reference} {order.customer.name} · {product.name}"[:128],
        tags={
            "order": order.reference,
            "customer": order.customer.number,
            "product": product.slug,
            "release": order.release.version,
            "environment": "sandbox" if order.is_sandbox else "production",
        },
        checks=tuple(_check(endpoint) for endpoint in order.endpoints.all()),
        plan=f"{product.slug}/{order.plan.slug}",
        agent_address=_agent_address(order),
        promise=None if order.plan.sla_promise is None else float(order.plan.sla_promise),
    )


def _agent_address(order: Order) -> str:
    """The address of the agent on the order's own server, once it has one."""
    server = getattr(order, "server", None)
    return server.address if server is not None and server.has_agent else ""


def _check(endpoint: Endpoint) -> CheckSpec:
    return CheckSpec(
        key=endpoint.name,
        name=endpoint.application,
        url=endpoint.check_url,
        status=endpoint.check_status,
        contains=endpoint.check_contains,
        max_seconds=endpoint.check_max_seconds,
    )
