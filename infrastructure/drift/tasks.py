"""The controllers that scan a provider, and that remove an orphan at the request of staff."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import Controller, register
from core.engine.outcome import Outcome, OutcomeKind, done
from core.engine.queue import READINGS
from core.errors import TransientError
from infrastructure.backends import get_cloud
from infrastructure.drift.conclusions import apply_snapshot, errors_message
from infrastructure.drift.observed import ProviderSnapshot, engines_of, take_snapshot
from infrastructure.drift.services import check_still_orphan, request_drift_scan
from infrastructure.models import DriftFinding, DriftScan

RECHECK_IN = timedelta(seconds=3)


class DriftScanController(Controller[DriftScan, ProviderSnapshot]):
    """Compares one provider with our records."""

    name = "drift_scan"
    queue = READINGS
    model = DriftScan
    lease_time = timedelta.max  # as long as the queue lets a task run: a provider may have many hosts
    max_attempts = 6
    related = ("provider",)

    def act(self, row: DriftScan) -> Outcome[ProviderSnapshot]:
        """A snapshot of the provider was taken; hosts with errors are retried."""
        DriftScan.objects.filter(pk=row.pk).update(started_at=clock.now())
        snapshot = take_snapshot(row.provider)
        fields = {
            "finished_at": clock.now(),
            "servers_seen": len(snapshot.nodes or ()),
            "compositions_seen": sum(len(engine.keys) for engine in snapshot.engines.values()),
        }
        if snapshot.errors:
            return Outcome(
                kind=OutcomeKind.RETRY, message=errors_message(snapshot.errors), fields=fields, observed=snapshot
            )
        return done(observed=snapshot, **fields)

    def on_outcomes(self, outcomes: Sequence[tuple[DriftScan, Outcome[ProviderSnapshot]]]) -> None:
        """The findings match the snapshots; without a snapshot they are unchanged."""
        for row, outcome in outcomes:
            if outcome.observed is not None:
                apply_snapshot(row.provider, outcome.observed)


class OrphanController(Controller[DriftFinding]):
    """Removes exactly what a finding names, at the request of staff."""

    name = "orphan"
    model = DriftFinding
    lease_time = timedelta(seconds=180)
    max_attempts = 60
    related = ("provider",)

    def act(self, row: DriftFinding) -> Outcome:
        """The orphan was removed; nothing that belongs to an order is touched."""
        check_still_orphan(row)
        if row.thing == DriftFinding.Thing.SERVER:
            _remove_server(row)
        else:
            _remove_composition(row)
        return done(state=DriftFinding.State.SOLVED, resolved_at=clock.now())


def compare_all() -> int:
    """Called by the schedule: all providers will be scanned; returns how many."""
    return request_drift_scan()


def _remove_server(row: DriftFinding) -> None:
    cloud = get_cloud(row.provider)
    cloud.remove_exactly(key=row.key, outside_id=row.outside_id)
    if any(node.outside_id == row.outside_id for node in cloud.list_servers()):
        raise TransientError(_("The provider is destroying the server."), retry_in=RECHECK_IN)


def _remove_composition(row: DriftFinding) -> None:
    runtime = engines_of(row.provider).get(row.host)
    if runtime is None:
        return  # the host was written off, and the composition with it
    runtime.remove(key=row.key)
    if left := runtime.left_behind(key=row.key):
        names = ", ".join(f"{item.kind} {item.name}" for item in left)
        raise TransientError(_("Not removed yet: %(names)s.") % {"names": names}, retry_in=RECHECK_IN)


for controller in (DriftScanController(), OrphanController()):
    register(controller)
