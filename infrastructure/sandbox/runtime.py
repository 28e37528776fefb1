"""A runtime whose engine is a table; this site serves its endpoints, so checks are real HTTP."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import yaml
from django.db.models import F

from core import clock
from core.errors import PermanentError, TransientError
from infrastructure.contracts.runtime import Composition, EngineSnapshot, LeftBehind, Machine, Service, ServiceState
from infrastructure.sandbox.models import SandboxComposition, SandboxSwitches

MIB = 1024**2
MACHINE = Machine(version="sandbox", cpus=16, ram_gb=64.0, ram_free_gb=41.5, disk_gb=500.0, disk_free_gb=312.4)


class SandboxRuntime:
    """Implements `infrastructure.contracts.runtime.Runtime` for one sandbox provider."""

    def __init__(self, provider_pk: int) -> None:
        self._provider_pk = provider_pk

    def test_connection(self) -> str:
        """Fails only if the provider is switched off."""
        self._switches()
        return "Sandbox runtime"

    def ensure_images(self, composition: Composition) -> Mapping[str, str] | None:
        """The images are there at once, pinned to invented digests."""
        self._switches()
        rows = SandboxComposition.objects.filter(key=composition.key, is_stopped=False)
        if rows.filter(digest=composition.digest).exists():
            return None
        services = yaml.safe_load(composition.compose)["services"]
        named = {name: str(service["image"]) for name, service in services.items() if "build" not in service}
        return {name: f"{image.split('@')[0]}@{_digest_of(image, '')}" for name, image in named.items()}

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest, after the launch time set in the switches."""
        switches = self._switches()
        row = SandboxComposition.objects.filter(key=composition.key).first()
        if row is None or row.digest != composition.digest or row.is_stopped:
            row = self._launch(composition, switches)
        if row.ready_at > clock.now():
            message = f"0 of {len(row.services)} services are healthy"
            raise TransientError(message, retry_in=row.ready_at - clock.now())
        return self._services(row)

    def ensure_stopped(self, *, key: str) -> None:
        """The composition is stopped; its row, and so its data, is kept."""
        self._switches()
        SandboxComposition.objects.filter(key=key).update(is_stopped=True)

    def remove(self, *, key: str) -> None:
        """Nothing of the composition is left."""
        self._switches()
        SandboxComposition.objects.filter(key=key).delete()

    def observe(self, *, keys: Sequence[str]) -> Mapping[str, Sequence[Service]]:
        """The services of each key."""
        self._switches()
        rows = SandboxComposition.objects.filter(key__in=keys)
        return dict.fromkeys(keys, ()) | {row.key: self._services(row) for row in rows}

    def snapshot(self, *, keys: Sequence[str], with_disk: bool = False) -> EngineSnapshot:
        """The services of each key with simulated figures, which are stable for a service and hour."""
        services = {
            key: tuple(_with_figures(key, service, with_disk=with_disk) for service in observed)
            for key, observed in self.observe(keys=keys).items()
        }
        return EngineSnapshot(services=services, machine=MACHINE)

    def list_keys(self) -> Sequence[str]:
        """The keys of the provider's compositions."""
        self._switches()
        rows = SandboxComposition.objects.filter(provider=self._provider_pk)
        return list(rows.order_by("key").values_list("key", flat=True))

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """The composition's row, if it still exists."""
        rows = SandboxComposition.objects.filter(key=key)
        return [LeftBehind(kind="sandbox composition", name=row.key) for row in rows]

    def _launch(self, composition: Composition, switches: SandboxSwitches) -> SandboxComposition:
        failing = SandboxSwitches.objects.filter(pk=switches.pk, failing_launches__gt=0)
        if failing.update(failing_launches=F("failing_launches") - 1):
            raise PermanentError("The sandbox is set to fail this launch")
        services = yaml.safe_load(composition.compose)["services"]
        row, _ = SandboxComposition.objects.update_or_create(
            key=composition.key,
            defaults={
                "provider_id": self._provider_pk,
                "digest": composition.digest,
                "services": {
                    name: str(service.get("image") or f"{composition.key}-{name}") for name, service in services.items()
                },
                "is_stopped": False,
                "ready_at": clock.now() + timedelta(seconds=switches.launch_seconds),
            },
        )
        return row

    def _services(self, row: SandboxComposition) -> tuple[Service, ...]:
        state = ServiceState.STOPPED if row.is_stopped else ServiceState.RUNNING
        started = None if row.is_stopped else row.ready_at
        return tuple(
            Service(name=name, state=state, image=image, digest=_digest_of(image, row.digest), started_at=started)
            for name, image in row.services.items()
        )

    def _switches(self) -> SandboxSwitches:
        switches, _ = SandboxSwitches.objects.get_or_create(provider_id=self._provider_pk)
        if switches.is_down:
            raise TransientError("The sandbox provider does not answer")
        return switches


def _digest_of(image: str, release: str) -> str:
    return f"sha256:{hashlib.sha256(f'{image} {release}'.encode()).hexdigest()}"


def _with_figures(key: str, service: Service, *, with_disk: bool) -> Service:
    """Plausible usage that varies by hour; none while the service is stopped."""
    seed = zlib.crc32(f"{key} {service.name}".encode())
    hour = int(clock.now().timestamp()) // 3600
    disk = (20 + seed % 400) * MIB if with_disk else None
    if service.state is not ServiceState.RUNNING:
        return replace(service, restarts=0, disk_bytes=disk)
    return replace(
        service,
        restarts=0,
        cpu_percent=round((seed + 37 * hour) % 240 / 10, 1),
        memory_bytes=(48 + (seed // 7 + 11 * hour) % 400) * MIB,
        memory_limit_bytes=512 * MIB,
        disk_bytes=disk,
    )
