"""The catalogue is synced by a worker."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from core import clock
from core.engine.controller import Controller, enqueue_rows, register
from core.engine.outcome import Outcome, done, retry
from core.engine.queue import READINGS
from core.errors import TransientError
from products.models import CatalogueSync, ConfigRepo
from products.services import check_repo_connection, import_catalogue, request_catalogue_syncs

IMPORT_TIME = timedelta(minutes=10)
"""A first import of thousands of releases takes several visits, each well within its lease."""


class CatalogueController(Controller[CatalogueSync]):
    """Runs the syncs that were requested."""

    name = "catalogue"
    queue = READINGS
    model = CatalogueSync
    lease_time = timedelta(minutes=15)
    max_attempts = 20

    def act(self, row: CatalogueSync) -> Outcome:
        """The products are what the catalogue says."""
        repo = row.config_repo
        if repo is not None and not repo.is_enabled:
            return done(synced_at=clock.now(), summary="The config-repo is disabled.")
        result = import_catalogue(
            repo=repo, is_full=row.is_full, until=clock.now() + IMPORT_TIME, check=lambda: check_lease(row)
        )
        if not result.is_complete:
            return retry(f"{len(result.products)} products are imported; the others follow.", retry_in=timedelta(0))
        return done(synced_at=clock.now(), summary=str(result) or "Nothing has changed.")

    def on_outcomes(self, outcomes: Sequence[tuple[CatalogueSync, Outcome]]) -> None:
        """What was requested meanwhile is run at once."""
        due = self._due(clock.now()).filter(pk__in=[row.pk for row, _outcome in outcomes])
        enqueue_rows(self.name, due.values_list("pk", flat=True))


def check_lease(row: CatalogueSync) -> None:
    """Until the transaction ends no other worker begins this sync; raises TransientError when one may have begun."""
    held = CatalogueSync.objects.select_for_update().filter(pk=row.pk, leased_until=row.leased_until)
    if held.filter(leased_until__gt=clock.now()).first() is None:
        raise TransientError("The sync took too long: another worker has begun it again")


def sync_catalogues() -> None:
    """Request a sync of what has changed in every config-repo; called by the schedule."""
    request_catalogue_syncs(is_full=False, source="Schedule")


def check_connection(pk: int) -> None:
    """A config-repo's connection is tested, if it is still there."""
    if (repo := ConfigRepo.objects.filter(pk=pk).first()) is not None:
        check_repo_connection(repo=repo)


register(CatalogueController())
