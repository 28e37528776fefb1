"""Builds the specs for the backend from our rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from infrastructure.models import Endpoint
from monitoring.contracts.backend import CheckSpec, MonitorSpec
from monitoring.models import Monitor
from orders.models import Order

RELATED = ("order__customer", "order__plan", "order__release__product", "order__server")
# What a spec is made of; the other columns, releases above all, are long, and monitors are read by the thousand.
SPEC_FIELDS = (
    "order__reference",
    "order__is_sandbox",
    "order__customer__name",
    "order__customer__number",
    "order__plan__slug",
    "order__plan__sla_promise",
    "order__release__version",
    "order__release__product__slug",
    "order__release__product__name",
    "order__server__order",
    "order__server__address",
    "order__server__has_agent",
)
ENDPOINT_FIELDS = ("order", "name", "application", "check_url", "check_status", "check_contains", "check_max_seconds")

Checks = Mapping[int, Sequence[CheckSpec]]
"""The checks of each order, by its primary key."""


def specs_of(rows: Sequence[Monitor]) -> list[MonitorSpec]:
    """One spec per monitor, in the same order; one query for all their endpoints."""
    checks = _checks_of(row.order_id for row in rows)
    return [_spec(row.order, checks) for row in rows]


def spec_of(order: Order) -> MonitorSpec:
    """The checks of one order."""
    return _spec(order, _checks_of([order.pk]))


def _spec(order: Order, checks: Checks) -> MonitorSpec:
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
        checks=tuple(checks.get(order.pk, ())),
        plan=f"{product.slug}/{order.plan.slug}",
        agent_address=_agent_address(order),
        promise=None if order.plan.sla_promise is None else float(order.plan.sla_promise),
    )


def _agent_address(order: Order) -> str:
    """The address of the agent on the order's own server, once it has one."""
    server = getattr(order, "server", None)
    return server.address if server is not None and server.has_agent else ""


def _checks_of(order_pks: Iterable[int]) -> Checks:
    endpoints = Endpoint.objects.filter(order__in=list(order_pks)).order_by("pk").values_list(*ENDPOINT_FIELDS)
    checks: dict[int, list[CheckSpec]] = defaultdict(list)
    for order, name, application, url, status, contains, max_seconds in endpoints:
        checks[order].append(
            CheckSpec(key=name, name=application, url=url, status=status, contains=contains, max_seconds=max_seconds)
        )
    return checks
