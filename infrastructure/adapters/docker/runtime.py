"""Compositions on one Docker Engine: `docker compose` launches and stops, the engine's API looks and clears away."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from core.errors import OutsideError, TransientError
from infrastructure.adapters.compose.cli import ComposeCli
from infrastructure.adapters.compose.files import KEY_LABEL, ComposeFile, labels_of, read_compose
from infrastructure.adapters.compose.folder import held_folder
from infrastructure.adapters.compose.launch import (
    AT_ONCE,
    LINGER,
    STOPPING,
    Launches,
    Reached,
    mark_of,
    project_of,
    secrets_of,
)
from infrastructure.adapters.docker.engine import Container, DockerEngine, as_services
from infrastructure.adapters.docker.usage import Figures, figures_of
from infrastructure.adapters.ssh.client import SshTarget
from infrastructure.adapters.ssh.tunnel import free_lock, tunnel_to_engine
from infrastructure.contracts.runtime import Composition, LeftBehind, Progress, Service, ServiceState, Sight

logger = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_AGAIN = timedelta(seconds=3)
LOOK_AGAIN_AT_ILL = timedelta(seconds=10)
ALL_BUT_HEALTHY = "Waiting until every service is healthy"
ON_THEIR_WAY = (ServiceState.STARTING, ServiceState.RUNNING)
ENDED_BY_STOP = (137, 143)  # SIGKILL and SIGTERM: how `docker compose stop` ends most programs


class DockerRuntime:
    """A Docker Engine: over SSH, by its address, or (both empty) this machine's own.

    Over SSH one connection serves a whole call of the runtime, and ends with it, or with the launch it leaves behind.
    `timeout` bounds one launch in seconds, builds included; no call waits for its end longer than `linger`.
    """

    def __init__(
        self,
        *,
        work_dir: Path,
        host: str = "",
        timeout: float = 900,
        ssh: SshTarget | None = None,
        linger: float = LINGER,
        at_once: int = AT_ONCE,
    ) -> None:
        self._work_dir = work_dir
        self._engine = DockerEngine(host=host)
        self._timeout = timeout
        self._ssh = ssh
        self._launches = Launches(
            work_dir=work_dir,
            reach=self._reached,
            name=str(ssh or ""),
            timeout=timeout,
            linger=linger,
            at_once=at_once,
        )

    def __repr__(self) -> str:
        return f"<DockerRuntime {self._ssh or self._engine.host}>"

    def test_connection(self) -> str:
        """The versions of the engine and of Compose, and whose engine it is."""
        with self._reached() as at:
            where = f" at {self._ssh}" if self._ssh else ""
            return f"Docker Engine {at.engine.version()} with Compose {at.cli.version()}{where}"

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest and these settings, and every service is healthy."""
        compose, key = read_compose(composition.compose), composition.key
        self._launches.go_on(key, mark=mark_of(composition), secrets=secrets_of(composition))
        with self._reached(lock=key) as at:
            containers = at.engine.containers(project_of(key))
            is_launched = _is_launched(containers, composition, compose)
            if not (is_launched and all(_needs_nothing(container, compose) for container in containers)):
                # What is merely stopped keeps its images: starting it again must not depend on a build.
                self._launches.launch(at, composition, compose, build=not is_launched)
                if is_launched:
                    _doubt_what_failed(containers)
                containers = at.engine.containers(project_of(key))
            return _all_ready(containers, compose, lambda name: self._launches.last_words(at, composition, name))

    def ensure_stopped(self, *, key: str) -> None:
        """No container of `key` runs; containers, networks and volumes stay."""
        self._launches.go_on(key, mark=STOPPING)
        with self._reached(lock=key) as at:
            if any(container.can_be_stopped for container in at.engine.containers(project_of(key))):
                self._launches.stop(at, key)

    def remove(self, *, key: str) -> None:
        """No container, network, volume, built image or folder of `key` is left, and no launch is under way."""
        self._launches.break_off(key)
        if self._ssh:
            free_lock(self._ssh, key)
        with held_folder(self._work_dir, key), self._reached() as at:
            at.engine.clear(project_of(key), key)

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        """The services of each key, in one call for all; a key that is gone maps to ()."""
        found: dict[str, list[Container]] = {key: [] for key in keys}
        with self._reached() as at:
            for container in at.engine.all_containers():
                found.get(container.labels[KEY_LABEL], []).append(container)
        return {key: as_services(containers) for key, containers in found.items()}

    def look(self, *, keys: Sequence[str], weigh: bool = False) -> Sight:
        """The services of each key with their figures: the engine's list, one command there, and its disk if asked.

        States are what counts: where figures are not to be had, they are left out.
        """
        found: dict[str, list[Container]] = {key: [] for key in keys}
        with self._reached() as at:
            for container in at.engine.all_containers():
                found.get(container.labels[KEY_LABEL], []).append(container)
            weights = _or_none(at.engine.weights) if weigh else None
            figures = _or_none(lambda: figures_of(ssh=self._ssh, engine=at.engine.host)) or Figures()
        services = {key: as_services(containers, figures, weights) for key, containers in found.items()}
        return Sight(services=services, machine=figures.machine)

    def list_keys(self) -> Sequence[str]:
        """The keys of every container, network and volume of ours on the engine."""
        with self._reached() as at:
            return at.engine.keys()

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """What still carries `key` on the engine, and the folder here if there is one."""
        folder = self._work_dir / key
        folders = [LeftBehind(kind="directory", name=str(folder))] if folder.exists() else []
        with self._reached() as at:
            return [*at.engine.leftovers(project_of(key), key), *folders]

    @contextmanager
    def _reached(self, *, lock: str = "") -> Iterator[Reached]:
        """The engine, and over SSH the way to it, inside; alone in launching `lock`, or it is said."""
        if self._ssh is None:
            yield Reached(engine=self._engine, cli=ComposeCli(host=self._engine.host))
            return
        name = str(self._ssh)
        with tunnel_to_engine(self._ssh, lock=lock, stale=self._timeout) as tunnel:
            engine = DockerEngine(host=tunnel.host, name=name)
            cli = ComposeCli(host=tunnel.host, name=name, lifeline=tunnel.lifeline)
            yield Reached(engine=engine, cli=cli, tunnel=tunnel)


def _or_none(ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except OutsideError as error:
        logger.info("Figures are left out: %s", error)
        return None


def _is_launched(containers: Sequence[Container], composition: Composition, compose: ComposeFile) -> bool:
    """Every service has its container, made from exactly this composition."""
    wanted = labels_of(composition).items()
    all_there = compose.always_up <= {container.service for container in containers}
    return all_there and all(wanted <= container.labels.items() for container in containers)


def _doubt_what_failed(before: Sequence[Container]) -> None:
    """Raises for what had failed by itself before it was started again: it runs now, and may be gone in a second."""
    failed = [container for container in before if container.exit_code not in (None, 0, *ENDED_BY_STOP)]
    if failed:
        told = "; ".join(_trouble(container.as_service) for container in failed)
        raise TransientError(f"{told}; started again", retry_in=LOOK_AGAIN)


def _needs_nothing(container: Container, compose: ComposeFile) -> bool:
    return container.has_started or (container.service in compose.run_once and container.has_completed)


def _all_ready(
    containers: Sequence[Container], compose: ComposeFile, last_words: Callable[[str], str]
) -> Sequence[Service]:
    """The services, if each is as it should be; otherwise the progress, as an error that says to look again."""
    missing = sorted(compose.always_up - {container.service for container in containers})
    unready = [container.as_service for container in containers if not _is_ready(container, compose)]
    if not unready and not missing:
        return as_services(containers)
    everything = len(containers) + len(missing)
    ready = everything - len(unready) - len(missing)
    only_starting = not missing and all(service.state is ServiceState.STARTING for service in unready)
    told = f"{ready} of {everything} services are healthy; {_progress(unready, missing)}"
    if only_starting:
        raise Progress(told, news=ALL_BUT_HEALTHY, retry_in=LOOK_AGAIN)
    ill = [service.name for service in unready if service.state not in ON_THEIR_WAY]
    said = [f"{name} said: {words}" for name in ill[:2] if (words := last_words(name))]
    raise TransientError("; ".join([told, *said]), retry_in=LOOK_AGAIN_AT_ILL)


def _is_ready(container: Container, compose: ComposeFile) -> bool:
    if container.service in compose.run_once:
        return container.has_completed
    return container.as_service.state is ServiceState.RUNNING


def _progress(unready: Sequence[Service], missing: Sequence[str]) -> str:
    waiting = [service.name for service in unready if service.state in ON_THEIR_WAY]
    said = [f"waiting for {', '.join(waiting)}"] if waiting else []
    said += [_trouble(service) for service in unready if service.state not in ON_THEIR_WAY]
    return "; ".join(said + [f"{name} has no container" for name in missing])


def _trouble(service: Service) -> str:
    match service.state:
        case ServiceState.RESTARTING:
            return f"{service.name} keeps restarting (exit code {service.exit_code})"
        case ServiceState.STOPPED if service.exit_code is not None:
            return f"{service.name} ended with exit code {service.exit_code}"
        case _:
            return f"{service.name} is {service.state}"
