"""Containers as the engine lists them, and the services that they run. Pure values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infrastructure.adapters.compose.labels import JOB_LABEL
from infrastructure.adapters.docker.usage import UsageFigures
from infrastructure.contracts.runtime import Service, ServiceState

SERVICE_LABEL = "com.docker.compose.service"
ENDED_BY_STOP = (137, 143)  # SIGKILL and SIGTERM: how `docker compose stop` ends most programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container, from its entry in the engine's list."""

    service: str
    status: str
    health: str
    exit_code: int | None
    image: str
    labels: Mapping[str, str]
    outside_id: str = ""
    digest: str = ""
    volumes: tuple[str, ...] = ()

    @property
    def has_started(self) -> bool:
        """It is running, or the engine is restarting it: it needs no start."""
        return self.status in ("running", "restarting")

    @property
    def can_be_stopped(self) -> bool:
        """It is running, paused, or about to run."""
        return self.status in ("running", "restarting", "paused")

    @property
    def has_completed(self) -> bool:
        """It ended with exit code 0."""
        return self.status == "exited" and self.exit_code == 0

    @property
    def is_job(self) -> bool:
        """It is expected to end."""
        return JOB_LABEL in self.labels

    @property
    def has_failed(self) -> bool:
        """It ended by itself with an error."""
        return self.status == "exited" and self.exit_code not in (0, *ENDED_BY_STOP)

    @property
    def as_service(self) -> Service:
        """The container as a service of the contract."""
        return Service(
            name=self.service,
            state=self._state,
            health=self.health,
            image=self.image,
            digest=self.digest,
            exit_code=self.exit_code,
        )

    @property
    def _state(self) -> ServiceState:
        if self.status == "running":
            healths = {"starting": ServiceState.STARTING, "unhealthy": ServiceState.UNHEALTHY}
            return healths.get(self.health, ServiceState.RUNNING)
        if self.is_job and (self.has_completed or self.has_failed):
            return ServiceState.DONE if self.has_completed else ServiceState.FAILED
        states = {
            "created": ServiceState.STARTING,
            "restarting": ServiceState.RESTARTING,
            "paused": ServiceState.STOPPED,
            "exited": ServiceState.STOPPED,
            "dead": ServiceState.STOPPED,
        }
        return states.get(self.status, ServiceState.UNKNOWN)


WORSE = tuple(
    ServiceState[name]
    for name in ("DONE", "RUNNING", "STARTING", "UNHEALTHY", "RESTARTING", "STOPPED", "FAILED", "UNKNOWN")
)


def as_services(
    containers: Iterable[Container], figures: UsageFigures | None = None, disk_usage: DiskUsage | None = None
) -> tuple[Service, ...]:
    """One service per name, by its worst container: there are two while one replaces the other."""
    services: dict[str, Service] = {}
    for container in containers:
        service = _with_figures(container, figures, disk_usage)
        other = services.get(service.name)
        if other is None or WORSE.index(service.state) > WORSE.index(other.state):
            services[service.name] = service
    return tuple(services.values())


def _with_figures(container: Container, figures: UsageFigures | None, disk_usage: DiskUsage | None) -> Service:
    usage = figures.by_id.get(container.outside_id) if figures else None
    runs = container.has_started
    return replace(
        container.as_service,
        restarts=usage.restarts if usage else None,
        started_at=usage.started_at if usage and runs else None,
        cpu_percent=usage.cpu_percent if usage else None,
        memory_bytes=usage.memory_bytes if usage else None,
        memory_limit_bytes=usage.memory_limit_bytes if usage else None,
        disk_bytes=disk_usage.of(container) if disk_usage else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUsage:
    """Bytes written by containers, by id, and held by volumes, by name."""

    containers: Mapping[str, int]
    volumes: Mapping[str, int]

    def of(self, container: Container) -> int | None:
        """The bytes of a container and its volumes; None if the engine did not list it."""
        own = self.containers.get(container.outside_id)
        return None if own is None else own + sum(self.volumes.get(name, 0) for name in container.volumes)


def container_of(entry: Mapping[str, Any]) -> Container:
    """Health and exit code are listed only inside `Status`, as in "Up 4 minutes (unhealthy)", "Exited (3) …"."""
    text = str(entry["Status"])
    health = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", text)
    code = re.match(r"(?:Exited|Restarting) \((\d+)\)", text)
    return Container(
        service=entry["Labels"].get(SERVICE_LABEL, ""),
        status=str(entry["State"]),
        health=health[1] if health else "",
        exit_code=int(code[1]) if code else None,
        image=str(entry["Image"]),
        labels=entry["Labels"],
        outside_id=str(entry["Id"]),
        digest=str(entry.get("ImageID") or ""),
        volumes=tuple(mount["Name"] for mount in entry.get("Mounts") or () if mount.get("Type") == "volume"),
    )
