"""Looks at a Docker Engine, and clears away: the only module that imports its SDK."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.utils import parse_host

from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.labels import JOB_LABEL, KEY_LABEL, builder_name
from infrastructure.adapters.docker.usage import Figures
from infrastructure.contracts.runtime import LeftBehind, Service, ServiceState

LOCAL_SOCKET = "unix:///var/run/docker.sock"
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
KEY_PREFIX = "live-"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
ENDED_BY_STOP = (137, 143)  # SIGKILL and SIGTERM: how `docker compose stop` ends most programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A container as one line of the engine's list tells it."""

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
        """It runs, or the engine itself keeps starting it: nobody needs to start it."""
        return self.status in ("running", "restarting")

    @property
    def can_be_stopped(self) -> bool:
        """Something of it runs, or will."""
        return self.status in ("running", "restarting", "paused")

    @property
    def has_completed(self) -> bool:
        """It ran to its end and found nothing wrong."""
        return self.status == "exited" and self.exit_code == 0

    @property
    def is_job(self) -> bool:
        """It may end."""
        return JOB_LABEL in self.labels

    @property
    def has_failed(self) -> bool:
        """It ended by itself, and not well."""
        return self.status == "exited" and self.exit_code not in (0, *ENDED_BY_STOP)

    @property
    def as_service(self) -> Service:
        """The container in infrastructure's words."""
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
    containers: Iterable[Container], figures: Figures | None = None, weights: Weights | None = None
) -> tuple[Service, ...]:
    """One service per name, by its worst container: while one is replaced by another there are two."""
    services: dict[str, Service] = {}
    for container in containers:
        service = _with_figures(container, figures, weights)
        known = services.get(service.name)
        if known is None or WORSE.index(service.state) > WORSE.index(known.state):
            services[service.name] = service
    return tuple(services.values())


def _with_figures(container: Container, figures: Figures | None, weights: Weights | None) -> Service:
    usage = figures.by_id.get(container.outside_id) if figures else None
    runs = container.has_started
    return replace(
        container.as_service,
        restarts=usage.restarts if usage else None,
        started_at=usage.started_at if usage and runs else None,
        cpu_percent=usage.cpu_percent if usage else None,
        memory_bytes=usage.memory_bytes if usage else None,
        memory_limit_bytes=usage.memory_limit_bytes if usage else None,
        disk_bytes=weights.of(container) if weights else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What containers have written, by their ids, and volumes hold, by their names."""

    containers: Mapping[str, int]
    volumes: Mapping[str, int]

    def of(self, container: Container) -> int | None:
        """The bytes of a container and its volumes; None if it was not there to be weighed."""
        own = self.containers.get(container.outside_id)
        return None if own is None else own + sum(self.volumes.get(name, 0) for name in container.volumes)


class DockerEngine:
    """One Docker Engine, by its address (`unix://`, `tcp://`); `name` is what messages call it."""

    def __init__(self, *, host: str = "", name: str = "", timeout: float = 30) -> None:
        self.host = host or LOCAL_SOCKET
        self.name = name or self.host
        self._timeout = int(timeout)
        try:
            parse_host(self.host)
        except DockerException as error:
            raise ConfigError(f"'{self.host}' is not the address of a Docker Engine") from error

    def version(self) -> str:
        """The engine's version."""
        with self.api() as api:
            return str(api.version()["Version"])

    def containers(self, project: str) -> Sequence[Container]:
        """The containers of one project's services, by name."""
        return self._containers(f"{PROJECT_LABEL}={project}")

    def all_containers(self) -> Sequence[Container]:
        """The containers of every composition of ours, in one call."""
        return self._containers(KEY_LABEL)

    def weights(self) -> Weights:
        """What everything on the engine takes of its disk, in one call; the engine walks through every volume."""
        with self.api() as api:
            told = api.df()
        try:
            containers = {one["Id"]: int(one.get("SizeRw") or 0) for one in told["Containers"] or ()}
            # -1 is what the engine writes where its driver cannot tell.
            volumes = {one["Name"]: max(0, int(one["UsageData"]["Size"])) for one in told["Volumes"] or ()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TransientError(f"Docker Engine at {self.name} gave an answer that cannot be read") from error
        return Weights(containers=containers, volumes=volumes)

    def keys(self) -> Sequence[str]:
        """The keys that containers, networks and volumes carry, in three calls; a project is called as its key."""
        with self.api() as api:
            labels = [entry["Labels"] for entry in api.containers(all=True, filters={"label": KEY_LABEL})]
            labels += [entry["Labels"] for entry in api.networks(filters={"label": PROJECT_LABEL})]
            labels += [entry["Labels"] for entry in api.volumes(filters={"label": PROJECT_LABEL})["Volumes"] or ()]
        named = {label.get(KEY_LABEL) or label.get(PROJECT_LABEL, "") for label in labels if label}
        return sorted(name for name in named if name.startswith(KEY_PREFIX))

    def leftovers(self, project: str, key: str) -> Sequence[LeftBehind]:
        """What the engine still has of a project."""
        with self.api() as api:
            return [LeftBehind(kind=kind, name=name) for kind, name, _ in _belongings(api, project, key)]

    def clear(self, project: str, key: str) -> None:
        """The engine has no container, network, volume or built image of the project; their data is gone."""
        with self.api() as api:
            for _, _, remove in _belongings(api, project, key):
                with suppress(NotFound):
                    remove()

    def last_words(self, project: str, service: str) -> str:
        """What the health check of a service's container last wrote, or else the container itself; may hold secrets."""
        with suppress(OutsideError), self.api() as api:
            for container in api.containers(all=True, filters={"label": _of_service(project, service)}):
                health = api.inspect_container(container["Id"])["State"].get("Health") or {}
                checks = [f"{check['ExitCode']}: {check['Output']}" for check in health.get("Log") or ()]
                logs = api.logs(container["Id"], tail=5).decode(errors="replace")
                return "\n".join(checks).strip() or str(logs).strip()
        return ""

    def remove_volume(self, name: str) -> None:
        """The volume is gone; none is success."""
        with self.api() as api, suppress(NotFound):
            api.remove_volume(name)

    def remove_container(self, container: str) -> None:
        """The container, by its id, is gone; none is success."""
        with self.api() as api, suppress(NotFound):
            if container:
                api.remove_container(container, v=True, force=True)

    def _containers(self, label: str) -> Sequence[Container]:
        with self.api() as api:
            listed = api.containers(all=True, filters={"label": [label, f"{ONE_OFF_LABEL}=False"]})
        try:
            return sorted((_container(entry) for entry in listed), key=lambda container: container.service)
        except (KeyError, TypeError, AttributeError) as error:
            raise TransientError(f"Docker Engine at {self.name} gave an answer that cannot be read") from error

    @contextmanager
    def api(self) -> Iterator[Any]:
        """The SDK's plain API, whose answers are lists and dicts; its errors come out as ours."""
        try:
            api = docker.APIClient(self.host, version="auto", timeout=self._timeout)
            try:
                yield api
            finally:
                api.close()
        except APIError as error:
            raise _by_status(error) from error
        except (DockerException, requests.RequestException, OSError) as error:
            if "permission denied" in str(error).lower():
                raise ConfigError(f"Docker Engine at {self.name} may not be used by this user") from error
            raise TransientError(f"Docker Engine at {self.name} cannot be reached") from error


def _of_service(project: str, service: str) -> list[str]:
    return [f"{PROJECT_LABEL}={project}", f"{SERVICE_LABEL}={service}", f"{ONE_OFF_LABEL}=False"]


def _belongings(api: Any, project: str, key: str) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Kind, name, and how to remove it; in an order in which nothing is still needed by what comes after."""
    of_project = {"label": f"{PROJECT_LABEL}={project}"}
    for container in api.containers(all=True, filters=of_project):
        name = container["Names"][0].lstrip("/") if container["Names"] else container["Id"][:12]
        yield "container", name, partial(api.remove_container, container["Id"], v=True, force=True)
    for name in _builders(api, key):
        yield "container", name[:12], partial(api.remove_container, name, v=True, force=True)
    for network in api.networks(filters=of_project):
        yield "network", network["Name"], partial(api.remove_network, network["Id"])
    for volume in api.volumes(filters=of_project)["Volumes"] or ():
        yield "volume", volume["Name"], partial(api.remove_volume, volume["Name"])
    for image in api.images(filters={"label": f"{KEY_LABEL}={key}"}):
        name = (image["RepoTags"] or [image["Id"]])[0]
        yield "image", name, partial(api.remove_image, image["Id"], force=True)


def _builders(api: Any, key: str) -> Iterator[str]:
    """The containers of a classic build of the key that was broken off: only asked one by one do they tell whose."""
    for container in api.containers(all=True):
        if PROJECT_LABEL in (container["Labels"] or {}):
            continue
        with suppress(NotFound):
            told = api.inspect_container(container["Id"])["HostConfig"]
            if any(one.startswith(f"{builder_name(key)}:") for one in told.get("ExtraHosts") or ()):
                yield container["Id"]


def _container(entry: Mapping[str, Any]) -> Container:
    """The list names health and exit code only inside `Status`, as in "Up 4 minutes (unhealthy)", "Exited (3) …"."""
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
        volumes=tuple(one["Name"] for one in entry.get("Mounts") or () if one.get("Type") == "volume"),
    )


def _by_status(error: APIError) -> OutsideError:
    status = error.status_code or 500
    words = f"Docker Engine: {error.explanation or f'answered {status}'}"
    # 409 is "in use" or "already being removed": both end.
    if status >= 500 or status in (408, 409, 429):
        return TransientError(words)
    return ConfigError(words) if status in (401, 403) else PermanentError(words)
