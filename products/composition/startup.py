"""What `docker compose up` starts of a composition, and what may end. Pure: Compose's model in, names out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Model = Mapping[str, Any]

MUST_COMPLETE = "service_completed_successfully"
STAYS_DOWN = ("", "no", "none", "on-failure")
"""Restart policies under which a container that ended with code 0 is not started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Startup:
    """The services of a composition by what is expected of them; each is in exactly one of the three sets."""

    running: frozenset[str]
    """Started, and have to stay up."""
    jobs: frozenset[str]
    """Started, and may end: ended with code 0 is done, running is fine too."""
    never: frozenset[str]
    """Not started: in a profile, scaled to zero, or provided by something else."""
    awaited: frozenset[str] = frozenset()
    """The jobs that other services wait for: they have to end with code 0."""


def startup_of(model: Model) -> Startup:
    """What to expect of each service of the model that `docker compose config --format json` prints."""
    services: Mapping[str, Model] = model.get("services") or {}
    never = frozenset(name for name, service in services.items() if not is_started(service))
    started = services.keys() - never
    awaited = {needed for name in started for needed in awaited_by(services[name])} & started
    jobs = awaited | {name for name in started if _stays_down(services[name])}
    return Startup(running=frozenset(started - jobs), jobs=frozenset(jobs), never=never, awaited=frozenset(awaited))


def is_started(service: Model) -> bool:
    """False of a service for which `up` makes no container."""
    return instances_of(service) > 0 and not service.get("profiles") and not service.get("provider")


def instances_of(service: Model) -> int:
    """How many containers the service gets; `scale` comes before `deploy.replicas`, as in Compose."""
    deploy = service.get("deploy") or {}
    for number in (service.get("scale"), deploy.get("replicas")):
        if number is not None:
            return int(number)
    return 1


def awaited_by(service: Model) -> list[str]:
    """The services that have to end well before this one starts."""
    needs = service.get("depends_on") or {}
    if not isinstance(needs, Mapping):
        return []
    return [name for name, how in needs.items() if (how or {}).get("condition") == MUST_COMPLETE]


def _stays_down(service: Model) -> bool:
    """True when the engine leaves the container down once it has ended with code 0; that is Docker's default."""
    deploy = service.get("deploy") or {}
    policy = deploy.get("restart_policy")
    if policy is not None:
        return str(policy.get("condition") or "any") in STAYS_DOWN
    return str(service.get("restart") or "").partition(":")[0] in STAYS_DOWN
