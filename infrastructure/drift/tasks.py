"""The controllers that compare a provider with our rows, and that destroy one orphan when staff have asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.utils.translation import gettext as _

from core import clock
from core.engine.controller import Controller, Kind, Outcome, done, register
from core.errors import TransientError
from infrastructure.backends import get_cloud
from infrastructure.drift.conclusions import apply_snapshot, errors_message
from infrastructure.drift.observed import ProviderSnapshot, engines_of, take_snapshot
from infrastructure.drift.services import check_still_stray, request_drift_scan
from infrastructure.models import DriftFinding, DriftScan

LOOK_AGAIN = timedelta(seconds=3)


class DriftScanController(Controller[DriftScan, ProviderSnapshot]):
    """Compares one provider with our rows."""

    name = "drift_scan"
    model = DriftScan
    lease_time = timedelta.max  # as long as the queue lets a task run: many hosts take their time
    max_attempts = 6
    related = ("provider",)

    def act(self, row: DriftScan) -> Outcome[ProviderSnapshot]:
        """The provider has been looked at: its servers in one list, each engine once."""
        DriftScan.objects.filter(pk=row.pk).update(started_at=clock.now())
        seen = take_snapshot(row.provider)
        fields = {
            "finished_at": clock.now(),
            "servers_seen": len(seen.nodes or ()),
            "compositions_seen": sum(len(engine.keys) for engine in seen.engines.values()),
        }
        if seen.errors:
            return Outcome(kind=Kind.RETRY, message=errors_message(seen.errors), fields=fields, observed=seen)
        return done(observed=seen, **fields)

    def on_outcomes(self, outcomes: Sequence[tuple[DriftScan, Outcome[ProviderSnapshot]]]) -> None:
        """The findings are what was seen; where the list was not to be had, they stay as they were."""
        for row, outcome in outcomes:
            if outcome.observed is not None:
                apply_snapshot(row.provider, outcome.observed)


class OrphanController(Controller[DriftFinding]):
    """Destroys exactly what a finding names, once staff have asked for it."""

    name = "orphan"
    model = DriftFinding
    lease_time = timedelta(seconds=180)
    max_attempts = 60
    related = ("provider",)

    def act(self, row: DriftFinding) -> Outcome:
        """It is gone; nothing that a living order owns is ever touched."""
        check_still_stray(row)
        if row.thing == DriftFinding.Thing.SERVER:
            _destroy_server(row)
        else:
            _clear_away(row)
        return done(state=DriftFinding.State.SOLVED, resolved_at=clock.now())


def compare_all() -> int:
    """What the schedule calls: every provider will be compared; returns how many."""
    return request_drift_scan()


def _destroy_server(row: DriftFinding) -> None:
    cloud = get_cloud(row.provider)
    cloud.remove_exactly(key=row.key, outside_id=row.outside_id)
    if any(node.outside_id == row.outside_id for node in cloud.list_servers()):
        raise TransientError(_("The server is being destroyed."), retry_in=LOOK_AGAIN)


def _clear_away(row: DriftFinding) -> None:
    runtime = engines_of(row.provider).get(row.host)
    if runtime is None:
        return  # the host is gone, and the composition with it
    runtime.remove(key=row.key)
    if left := runtime.left_behind(key=row.key):
        names = ", ".join(f"{one.kind} {one.name}" for one in left)
        raise TransientError(_("Still there: %(names)s.") % {"names": names}, retry_in=LOOK_AGAIN)


for controller in (DriftScanController(), OrphanController()):
    register(controller)
