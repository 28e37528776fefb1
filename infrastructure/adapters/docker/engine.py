"""Inspects and cleans up a Docker Engine; the only module that imports its SDK."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.utils import parse_host

from core.call_times.counting import OutsideSystem, timed_call
from core.errors import ConfigError, OutsideError, PermanentError, TransientError
from infrastructure.adapters.compose.labels import KEY_LABEL, builder_name
from infrastructure.adapters.docker.container import SERVICE_LABEL, Container, DiskUsage, container_of
from infrastructure.contracts.runtime import LeftBehind

LOCAL_SOCKET = "unix:///var/run/docker.sock"
PROJECT_LABEL = "com.docker.compose.project"
KEY_PREFIX = "live-"
ONE_OFF_LABEL = "com.docker.compose.oneoff"


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

    def disk_usage(self) -> DiskUsage:
        """The disk usage of everything on the engine, in one call, for which the engine walks through every volume."""
        with self.api() as api:
            usage = api.df()
        try:
            containers = {container["Id"]: int(container.get("SizeRw") or 0) for container in usage["Containers"] or ()}
            # The engine writes -1 where the volume's driver does not know.
            volumes = {volume["Name"]: max(0, int(volume["UsageData"]["Size"])) for volume in usage["Volumes"] or ()}
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise TransientError(f"Docker Engine at {self.name} sent an answer that cannot be read") from error
        return DiskUsage(containers=containers, volumes=volumes)

    def keys(self) -> Sequence[str]:
        """The keys of all containers, networks and volumes, in three calls; projects are named by their key."""
        with self.api() as api:
            labels = [entry["Labels"] for entry in api.containers(all=True, filters={"label": KEY_LABEL})]
            labels += [entry["Labels"] for entry in api.networks(filters={"label": PROJECT_LABEL})]
            labels += [entry["Labels"] for entry in api.volumes(filters={"label": PROJECT_LABEL})["Volumes"] or ()]
        named = {label.get(KEY_LABEL) or label.get(PROJECT_LABEL, "") for label in labels if label}
        return sorted(name for name in named if name.startswith(KEY_PREFIX))

    def leftovers(self, project: str, key: str) -> Sequence[LeftBehind]:
        """What is left of a project on the engine."""
        with self.api() as api:
            return [LeftBehind(kind=kind, name=name) for kind, name, _ in _belongings(api, project, key)]

    def clear(self, project: str, key: str) -> None:
        """The engine has no container, network, volume or built image of the project; their data is gone."""
        with self.api() as api:
            for _, _, remove in _belongings(api, project, key):
                with suppress(NotFound):
                    remove()

    def last_output(self, project: str, service: str) -> str:
        """The last output of a service's health check, or else of the container; may hold secrets."""
        with suppress(OutsideError), self.api() as api:
            for container in api.containers(all=True, filters={"label": _of_service(project, service)}):
                health = api.inspect_container(container["Id"])["State"].get("Health") or {}
                checks = [f"{check['ExitCode']}: {check['Output']}" for check in health.get("Log") or ()]
                logs = api.logs(container["Id"], tail=5).decode(errors="replace")
                return "\n".join(checks).strip() or str(logs).strip()
        return ""

    def digests_of(self, images: Collection[str]) -> Mapping[str, str]:
        """Each of `images` that is on the engine, with the name and digest that identify it for ever.

        An image that came from no registry has no such digest: it keeps its name.
        """
        found = {}
        with self.api() as api:
            for image in set(images):
                with suppress(NotFound, ImageNotFound):
                    repository = image.split("@")[0].rpartition(":")[0] or image
                    digests = api.inspect_image(image).get("RepoDigests") or ()
                    matching = [digest for digest in digests if digest.split("@")[0] == repository]
                    found[image] = image if "@" in image else next(iter(matching), image)
        return found

    def remove_volume(self, name: str) -> None:
        """The volume is removed; a missing one is success."""
        with self.api() as api, suppress(NotFound):
            api.remove_volume(name)

    def remove_container(self, container: str) -> None:
        """The container of this id is removed; a missing one is success."""
        with self.api() as api, suppress(NotFound):
            if container:
                api.remove_container(container, v=True, force=True)

    def _containers(self, label: str) -> Sequence[Container]:
        with self.api() as api:
            listed = api.containers(all=True, filters={"label": [label, f"{ONE_OFF_LABEL}=False"]})
        try:
            return sorted((container_of(entry) for entry in listed), key=lambda container: container.service)
        except (KeyError, TypeError, AttributeError) as error:
            raise TransientError(f"Docker Engine at {self.name} sent an answer that cannot be read") from error

    @contextmanager
    def api(self) -> Iterator[Any]:
        """The SDK's low-level API, which returns lists and dicts; its errors are translated to ours.

        The block is timed as one call.
        """
        with timed_call(OutsideSystem.DOCKER), self._translated_api() as api:
            yield api

    @contextmanager
    def _translated_api(self) -> Iterator[Any]:
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
                raise ConfigError(f"Docker Engine at {self.name}: permission denied for this user") from error
            raise TransientError(f"Docker Engine at {self.name} cannot be reached") from error


def _of_service(project: str, service: str) -> list[str]:
    return [f"{PROJECT_LABEL}={project}", f"{SERVICE_LABEL}={service}", f"{ONE_OFF_LABEL}=False"]


def _belongings(api: Any, project: str, key: str) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Kind, name and removal of each item, in a sequence in which nothing is still in use when removed."""
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
    """The containers of an aborted classic build of the key; only inspecting them shows whose they are."""
    for container in api.containers(all=True):
        if PROJECT_LABEL in (container["Labels"] or {}):
            continue
        with suppress(NotFound):
            settings = api.inspect_container(container["Id"])["HostConfig"]
            if any(host.startswith(f"{builder_name(key)}:") for host in settings.get("ExtraHosts") or ()):
                yield container["Id"]


def _by_status(error: APIError) -> OutsideError:
    status = error.status_code or 500
    message = f"Docker Engine: {error.explanation or f'HTTP {status}'}"
    # 409 is "in use" or "already being removed": both pass.
    if status >= 500 or status in (408, 409, 429):
        return TransientError(message)
    return ConfigError(message) if status in (401, 403) else PermanentError(message)
