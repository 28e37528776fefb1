"""A Docker host in a dict, with switches for what may go wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import yaml

from core.errors import PermanentError, TransientError
from infrastructure.contracts.runtime import (
    Composition,
    EngineSnapshot,
    InProgress,
    LeftBehind,
    Machine,
    Service,
    ServiceState,
)

STARTED = datetime(2026, 3, 1, 12, tzinfo=UTC)
MACHINE = Machine(version="fake 1", cpus=4, ram_gb=8.0, ram_free_gb=5.0, disk_gb=100.0, disk_free_gb=60.0)


@dataclass
class Launched:
    """What stands of one key."""

    composition: Composition
    services: tuple[str, ...]
    running: bool = True
    steps_left: int = 0
    starts: int = 1
    """Kept in the data: grows with each start, gone with the volumes."""


class FakeRuntime:
    """Keeps the promises of `Runtime`; set the switches as attributes, look into `hosted` and `calls` afterwards."""

    def __init__(
        self, *, starting_steps: int = 0, lose_reply: bool = False, refuse: str = "", outage: bool = False
    ) -> None:
        self.hosted: dict[str, Launched] = {}
        self.calls: list[tuple[str, str]] = []
        self.launches = 0
        self.starting_steps = starting_steps
        """How many times services are still starting when they are asked for."""
        self.lose_reply = lose_reply
        """The next launch happens, but its reply is lost."""
        self.refuse = refuse
        """Launching fails for good, with these words."""
        self.outage = outage
        """Nothing answers."""
        self.refuse_images = ""
        """Building fails for good, with these words."""
        self.image_steps: dict[str, int] = {}
        """How many times the images of a digest are still being built when they are asked for."""
        self.unhealthy: set[tuple[str, str]] = set()
        """(key, service) pairs that do not get well."""
        self.cpu_percent = 12.5
        """What each service is busy with."""
        self.digests: dict[tuple[str, str], str] = {}
        """Images that are not those of the launch, by (key, service)."""

    def test_connection(self) -> str:
        self._call("test_connection")
        return f"a fake runtime with {len(self.hosted)} compositions"

    def ensure_images(self, composition: Composition) -> Mapping[str, str] | None:
        self._call("ensure_images", composition.key)
        launched = self.hosted.get(composition.key)
        if launched and launched.composition == composition:
            return None
        if self.refuse_images:
            raise PermanentError(self.refuse_images)
        if self.image_steps.get(composition.digest):
            self.image_steps[composition.digest] -= 1
            raise InProgress("Building gateway", progress_note="Building the images", retry_in=timedelta(seconds=3))
        return {name: f"{name}@sha256:{composition.digest}" for name in yaml.safe_load(composition.compose)["services"]}

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        self._call("ensure_running", composition.key)
        launched = self.hosted.get(composition.key)
        if not (launched and launched.running and launched.composition == composition):
            launched = self._launch(composition, launched)
        if launched.steps_left:
            launched.steps_left -= 1
            message = f"0 of {len(launched.services)} services are healthy; waiting for {', '.join(launched.services)}"
            raise InProgress(
                message, progress_note="Waiting until every service is healthy", retry_in=timedelta(seconds=3)
            )
        services = self._services(composition.key)
        ill = [service.name for service in services if service.state is ServiceState.UNHEALTHY]
        if ill:
            healthy = len(services) - len(ill)
            raise TransientError(f"{healthy} of {len(services)} services are healthy; {ill[0]} is unhealthy")
        return services

    def ensure_stopped(self, *, key: str) -> None:
        self._call("ensure_stopped", key)
        if key in self.hosted:
            self.hosted[key].running = False

    def remove(self, *, key: str) -> None:
        self._call("remove", key)
        self.hosted.pop(key, None)

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        self._call("observe", ",".join(keys))
        return {key: self._services(key) for key in keys}

    def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
        self._call("snapshot", ",".join(keys))
        services = {
            key: tuple(self._figured(service, with_disk=with_disk) for service in self._services(key)) for key in keys
        }
        return EngineSnapshot(services=services, machine=MACHINE)

    def list_keys(self) -> Sequence[str]:
        self._call("list_keys")
        return sorted(self.hosted)

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        self._call("left_behind", key)
        return [LeftBehind(kind="container", name=f"{key}-{service.name}-1") for service in self._services(key)]

    def _launch(self, composition: Composition, launched: Launched | None) -> Launched:
        if self.refuse:
            raise PermanentError(self.refuse)
        self.launches += 1
        self.hosted[composition.key] = Launched(
            composition=composition,
            services=tuple(sorted(yaml.safe_load(composition.compose)["services"])),
            steps_left=self.starting_steps,
            starts=launched.starts + 1 if launched else 1,
        )
        if self.lose_reply:
            self.lose_reply = False
            raise TransientError("docker did not finish in time")
        return self.hosted[composition.key]

    def _services(self, key: str) -> tuple[Service, ...]:
        launched = self.hosted.get(key)
        return tuple(self._service(key, name, launched) for name in launched.services) if launched else ()

    def _service(self, key: str, name: str, launched: Launched) -> Service:
        digest = self.digests.get((key, name), f"sha256:{name} of {launched.composition.digest}")
        if not launched.running:
            return Service(name=name, state=ServiceState.STOPPED, digest=digest, exit_code=0)
        if launched.steps_left:
            return Service(name=name, state=ServiceState.STARTING, digest=digest)
        state = ServiceState.UNHEALTHY if (key, name) in self.unhealthy else ServiceState.RUNNING
        return Service(name=name, state=state, digest=digest)

    def _figured(self, service: Service, *, with_disk: bool) -> Service:
        disk = 5_000_000 if with_disk else None
        if service.state not in (ServiceState.RUNNING, ServiceState.UNHEALTHY):
            return replace(service, restarts=0, disk_bytes=disk)
        return replace(
            service,
            restarts=1,
            started_at=STARTED,
            cpu_percent=self.cpu_percent,
            memory_bytes=2_000_000,
            disk_bytes=disk,
        )

    def _call(self, name: str, key: str = "") -> None:
        self.calls.append((name, key))
        if self.outage:
            raise TransientError("the runtime cannot be reached")
