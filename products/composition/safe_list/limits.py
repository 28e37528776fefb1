"""What would be harmless in small numbers: containers, delays, shares of the processor. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext as _

from products.composition.safe_list.rules import Context, Finding, Rule, anything, mapping_of
from products.composition.startup import instances_of

MOST_CONTAINERS = 50
LONGEST_STOP = 600.0
"""Seconds: removing an order waits for it."""
SHORTEST_CHECK = 0.5
"""Seconds: a health check starts a process each time."""
USUAL_CPU_SHARES = 1024
USUAL_IO_WEIGHT = 500

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(h|ms|m|us|µs|ns|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def seconds_of(value: Any) -> float | None:
    """A duration as Compose prints it (`1m30s`), in seconds; None for anything else."""
    parts = _DURATION.findall(str(value))
    if not parts or "".join(number + unit for number, unit in parts) != str(value):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def at_most(limit: int, message: str) -> Rule:
    """No number above the limit passes."""

    def rule(value: Any, context: Context) -> Iterator[Finding]:
        if isinstance(value, int) and value > limit:
            yield "", _(message) % {"limit": limit}

    return rule


def stop_period(value: Any, context: Context) -> Iterator[Finding]:
    seconds = seconds_of(value)
    if seconds is not None and seconds > LONGEST_STOP:
        yield "", _("no container may take longer than 10 minutes to stop.")


def _interval(value: Any, context: Context) -> Iterator[Finding]:
    seconds = seconds_of(value)
    if seconds is not None and 0 < seconds < SHORTEST_CHECK:
        yield "", _("a health check may run every half second at most.")


HEALTHCHECK: Rule = mapping_of(
    dict.fromkeys(("disable", "retries", "start_period", "test", "timeout"), anything)
    | {"interval": _interval, "start_interval": _interval}
)


def too_many_containers(model: Mapping[str, Any]) -> Iterator[Finding]:
    """Something that is wrong when the services have too many containers together."""
    services = model.get("services") or {}
    total = sum(instances_of(service) for service in services.values())
    if total > MOST_CONTAINERS:
        most = max(services, key=lambda name: instances_of(services[name]))
        message = _("the composition has %(total)s containers; at most %(limit)s are allowed.")
        yield f"services.{most}", message % {"total": total, "limit": MOST_CONTAINERS}
