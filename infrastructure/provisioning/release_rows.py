"""The rows of a deployment that follow its release: ports and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infrastructure.models import Deployment, Endpoint
from infrastructure.placement.ports import base_url, publish_ports
from orders.models import Order

SPEC_FIELDS = (
    "application",
    "url",
    "check_url",
    "check_status",
    "check_contains",
    "check_max_seconds",
    "is_retired",
)


def follow_release(order: Order) -> None:
    """The deployment wants the order's release, with the ports and endpoints of that; raises NoPorts.

    Call it in the transaction that raises the deployment's wanted version: a worker sees both or neither.
    """
    deployment = order.deployment
    if deployment.release_id == order.release_id:
        return
    deployment.release = order.release
    publish_ports(deployment)
    Deployment.objects.filter(pk=deployment.pk).update(release=order.release)
    match_endpoints(deployment)


def match_endpoints(deployment: Deployment) -> None:
    """The endpoints are those of the wanted release, at the server's present address.

    New ones are settled at version 0 until the composition runs. What the release no longer has is retired, not
    deleted: the order may go back.
    """
    rows = {row.name: row for row in deployment.endpoints.all()}
    new, changed = [], []
    for spec in deployment.release.endpoints:
        fields = _fields_of(deployment, spec)
        row = rows.pop(spec["name"], None)
        if row is None:
            new.append(Endpoint(order=deployment.order, deployment=deployment, wanted_version=0, **fields))
        elif any(getattr(row, name) != fields[name] for name in SPEC_FIELDS):
            for name in SPEC_FIELDS:
                setattr(row, name, fields[name])
            changed.append(row)
    Endpoint.objects.bulk_create(new)
    Endpoint.objects.bulk_update(changed, SPEC_FIELDS)
    Endpoint.objects.filter(pk__in=[row.pk for row in rows.values()]).update(is_retired=True, next_attempt_at=None)


def _fields_of(deployment: Deployment, spec: Mapping[str, Any]) -> dict[str, Any]:
    """An endpoint of a manifest as the columns of its row."""
    base, check = base_url(deployment, spec["service"], int(spec["port"])), spec["check"]
    return {
        "name": spec["name"],
        "application": spec["application"],
        "url": base + spec["path"],
        "check_url": base + check["path"],
        "check_status": check.get("status", 200),
        "check_contains": check.get("contains", ""),
        "check_max_seconds": float(check.get("max_seconds", 10)),
        "is_retired": False,
    }
