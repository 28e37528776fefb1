"""A runtime whose engine is a table; what it runs is served by this very site, so checks are real HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import yaml
from django.db.models import F

from infrastructure.adapters.words import Composition, LeftBehind, Service, ServiceState
from infrastructure.sandbox.models import SandboxComposition, SandboxSwitches
from live.lib import clock
from live.lib.errors import PermanentError, TransientError


class SandboxRuntime:
    """Implements `infrastructure.adapters.words.Runtime` for one sandbox provider."""

    def __init__(self, provider_pk: int) -> None:
        self._provider_pk = provider_pk

    def test_connection(self) -> str:
        """The sandbox always has a name."""
        self._switches()
        return "Sandbox runtime"

    def ensure_running(self, composition: Composition) -> Sequence[Service]:
        """The composition is up with this digest; takes the seconds that the switches say."""
        switches = self._switches()
        row = SandboxComposition.objects.filter(key=composition.key).first()
        if row is None or row.digest != composition.digest or row.is_stopped:
            row = self._launch(composition, switches)
        if row.ready_at > clock.now():
            words = f"0 of {len(row.services)} services are healthy"
            raise TransientError(words, retry_in=row.ready_at - clock.now())
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

    def list_keys(self) -> Sequence[str]:
        """The keys of the provider's compositions."""
        self._switches()
        rows = SandboxComposition.objects.filter(provider=self._provider_pk)
        return list(rows.order_by("key").values_list("key", flat=True))

    def left_behind(self, *, key: str) -> Sequence[LeftBehind]:
        """The composition's row, if it still stands."""
        rows = SandboxComposition.objects.filter(key=key)
        return [LeftBehind(kind="sandbox composition", name=row.key) for row in rows]

    def _launch(self, composition: Composition, switches: SandboxSwitches) -> SandboxComposition:
        failing = SandboxSwitches.objects.filter(pk=switches.pk, failing_launches__gt=0)
        if failing.update(failing_launches=F("failing_launches") - 1):
            raise PermanentError("The sandbox was told to fail this launch")
        services = yaml.safe_load(composition.compose)["services"]
        row, _ = SandboxComposition.objects.update_or_create(
            key=composition.key,
            defaults={
                "provider_id": self._provider_pk,
                "digest": composition.digest,
                "services": {
                    name: str(one.get("image") or f"{composition.key}-{name}") for name, one in services.items()
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
            Service(name=name, state=state, image=image, started_at=started) for name, image in row.services.items()
        )

    def _switches(self) -> SandboxSwitches:
        switches, _ = SandboxSwitches.objects.get_or_create(provider_id=self._provider_pk)
        if switches.is_down:
            raise TransientError("The sandbox provider does not answer")
        return switches
