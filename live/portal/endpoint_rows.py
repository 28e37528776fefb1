"""The endpoints of an order as its page shows them: by what monitoring knows now, or else by the launch check."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from infrastructure.models import Endpoint
from live.portal.connect.service_kinds import ServiceKind, kinds_by_name
from monitoring.choices import CheckState
from monitoring.models import MonitorCheck
from orders.choices import Wanted
from orders.models import Order


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointRow:
    """One endpoint; `state` is up, down, unknown, suspended, or empty before its first check."""

    name: str
    application: str
    url: str
    kind: ServiceKind
    state: str
    message: str
    checked_at: datetime | None
    is_launch_check: bool = False


def endpoint_rows(order: Order) -> list[EndpointRow]:
    """The endpoints of the order; none once it is removed. One query."""
    if order.wanted == Wanted.REMOVED:
        return []
    endpoints = order.endpoints.select_related("monitor_check")
    specs = {spec["name"]: spec for spec in order.release.localised("endpoints")}
    kinds = kinds_by_name(list(specs.values()))
    unchecked = "suspended" if order.wanted == Wanted.SUSPENDED else ""
    return [
        _row(
            endpoint,
            application=specs.get(endpoint.name, {}).get("application", endpoint.application),
            kind=kinds.get(endpoint.name, ServiceKind.WEB),
            unchecked=unchecked,
        )
        for endpoint in endpoints
    ]


def _row(endpoint: Endpoint, *, application: str, kind: ServiceKind, unchecked: str) -> EndpointRow:
    check: MonitorCheck | None = getattr(endpoint, "monitor_check", None)
    if check is not None and check.checked_at and check.state != CheckState.PAUSED:
        return EndpointRow(
            name=endpoint.name,
            application=application,
            url=endpoint.url,
            kind=kind,
            state=check.state,
            message=check.public_message if check.state == CheckState.DOWN else "",
            checked_at=check.checked_at,
        )
    state = unchecked if endpoint.is_ok is None else "up" if endpoint.is_ok else "down"
    return EndpointRow(
        name=endpoint.name,
        application=application,
        url=endpoint.url,
        kind=kind,
        state=state,
        message=endpoint.public_message if state == "down" else "",
        checked_at=endpoint.checked_at,
        is_launch_check=True,
    )
