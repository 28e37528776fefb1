"""Compositions on one Docker Engine: `docker compose` launches and stops, the engine's API inspects and cleans up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from core.errors import OutsideError
from infrastructure.adapters.compose.cli import ComposeCli
from infrastructure.adapters.compose.folder import held_folder
from infrastructure.adapters.compose.labels import KEY_LABEL
from infrastructure.adapters.docker.container import Container, as_services
from infrastructure.adapters.docker.engine import DockerEngine
from infrastructure.adapters.docker.launch import (
    AT_ONCE,
    LINGER,
    STOPPING,
    Launches,
    Reached,
    images_mark_of,
    mark_of,
    project_of,
    secrets_of,
)
from infrastructure.adapters.docker.order_volumes import clear_outdated, files_volume, interrupted, note_interrupted
from infrastructure.adapters.docker.readiness import (
    all_ready,
    current,
    done_jobs,
    is_launched,
    recheck_restarted,
    refuse_failed_jobs,
)
from infrastructure.adapters.docker.usage import UsageFigures, figures_of
from infrastructure.adapters.ssh.client import SshTarget
from infrastructure.adapters.ssh.tunnel import free_lock, tunnel_to_engine
from infrastructure.contracts.runtime import Composition, EngineSnapshot, LeftBehind, Service

logger = logging.getLogger(__name__)
T = TypeVar("T")


class DockerRuntime:
    """A Docker Engine: over SSH, by its address, or (both empty) this machine's own.

    Over SSH one connection serves a whole call of the runtime, and closes with it or with the launch it started.
    `timeout` limits one launch in seconds, builds included; no call waits for its end longer than `linger`.
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
        """The versions of the engine and of Compose, and the engine's host."""
        with self._reached() as at:
            where = f" at {self._ssh}" if self._ssh else ""
            return f"Docker Engine {at.engine.version()} with Compose {at.cli.version()}{where}"

    def ensure_images(self, composition: Composition) -> Mapping[str, str] | None:
        """Every image is on the engine, built or pulled."""
        key = composition.key
        if self._launches.is_launching(composition):
            return {}
        is_ready = self._launches.resume(key, mark=images_mark_of(composition), secrets=secrets_of(composition))
        plan = self._launches.plan(composition)
        with self._reached(lock=key) as at:
            if is_launched(at.engine.containers(project_of(key)), composition, plan):
                return None
            images = {
                name: composition.images.get(name) or str(service["image"])
                for name, service in plan.model["services"].items()
                if "build" not in service
            }
            present = at.engine.digests_of(images.values())
            missing = sorted(name for name, image in images.items() if image not in present)
            if missing or (not is_ready and len(images) < len(plan.model["services"])):
                self._launches.prepare(at, composition, plan, pull=missing)
                present = at.engine.digests_of(images.values())
            return {name: present[image] for name, image in images.items() if image in present}

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest and these settings, and every service is healthy."""
        key, project = composition.key, project_of(composition.key)
        has_just_ended = self._launches.resume(key, mark=mark_of(composition), secrets=secrets_of(composition))
        plan = self._launches.plan(composition)
        with self._reached(lock=key) as at:

            def last_output(service: str) -> str:
                return self._launches.last_output(at, composition, service)

            containers = at.engine.containers(project)
            launched = is_launched(containers, composition, plan)
            is_stopped = launched and not any(container.has_started for container in containers)
            done = done_jobs(current(containers, composition), plan, interrupted(at.engine, key) if is_stopped else ())
            if launched and not is_stopped and (has_just_ended or not composition.is_new_try):
                refuse_failed_jobs(containers, plan, last_output)
            if not (launched and all(item.has_started or item.service in done for item in containers)):
                # A stopped composition still has its images: starting it must not depend on a build.
                build = not (launched or composition.are_images_ready)
                self._launches.launch(at, composition, plan, build=build, without=done)
                if launched:
                    recheck_restarted(containers)
                containers = at.engine.containers(project)
            services = all_ready(containers, plan, last_output)
            clear_outdated(at.engine, key, keep=files_volume(project, plan.files))
            return services

    def ensure_stopped(self, *, key: str) -> None:
        """No container of `key` runs; containers, networks and volumes stay."""
        self._launches.resume(key, mark=STOPPING)
        with self._reached(lock=key) as at:
            active = [item for item in at.engine.containers(project_of(key)) if item.can_be_stopped]
            if jobs := {container.service for container in active if container.is_job}:
                note_interrupted(at.engine, project_of(key), key, jobs)
            if active:
                self._launches.stop(at, key)

    def remove(self, *, key: str) -> None:
        """No container, network, volume, built image or folder of `key` is left, and no launch is running."""
        self._launches.abort(key)
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

    def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
        """The services of each key with their usage: the engine's list, one command there, and disk usage on request.

        The states matter most: usage figures that are not available are left out.
        """
        found: dict[str, list[Container]] = {key: [] for key in keys}
        with self._reached() as at:
            for container in at.engine.all_containers():
                found.get(container.labels[KEY_LABEL], []).append(container)
            disk_usage = _or_none(at.engine.disk_usage) if with_disk else None
            figures = _or_none(lambda: figures_of(ssh=self._ssh, engine=at.engine.host)) or UsageFigures()
        services = {key: as_services(containers, figures, disk_usage) for key, containers in found.items()}
        return EngineSnapshot(services=services, machine=figures.machine)

    def list_keys(self) -> Sequence[str]:
        """The keys of all our containers, networks and volumes on the engine."""
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
        """The engine, over SSH through a tunnel that also tries to hold `lock`; the tunnel says whether it does."""
        if self._ssh is None:
            yield Reached(engine=self._engine, cli=ComposeCli(host=self._engine.host))
            return
        name = str(self._ssh)
        with tunnel_to_engine(self._ssh, lock=lock, stale=self._timeout) as tunnel:
            engine = DockerEngine(host=tunnel.host, name=name)
            cli = ComposeCli(host=tunnel.host, name=name, lifeline=tunnel.lifeline)
            yield Reached(engine=engine, cli=cli, tunnel=tunnel)


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except OutsideError as error:
        logger.info("Usage figures are left out: %s", error)
        return None
