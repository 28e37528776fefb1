"""Drives the controllers without a queue: what workers would do, one visit at a time, time passing as it must."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from math import ceil

import pytest
from django.db.models import Min

from core import clock
from core.engine.controller import controllers
from core.engine.sweep import sweep
from core.outside.http_check import HttpCheck, HttpResult
from core.outside.pdf import render_pdf

STEP = timedelta(seconds=5)
SWEEP_EVERY = timedelta(minutes=1)


class Drive:
    """A worker, a scheduler and a clock in one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Noon, whenever the tests run: a test that lets an hour pass means the same day.
        self.now = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
        self.answers = HttpResult(status=200, seconds=0.1)
        monkeypatch.setattr("core.clock.now", lambda: self.now)
        monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
        monkeypatch.setattr("infrastructure.provisioning.tasks.check_all", self._check_all)
        monkeypatch.setattr("billing.documents.tasks.invoice_pdf", lambda *args, **options: printed_page())

    def _check_all(self, checks: list[HttpCheck], **_options: object) -> list[HttpResult]:
        return [self.answers for _ in checks]

    def visit_all(self) -> int:
        """Every due row of every controller has been visited once; returns how many."""
        return sum(iter_runs(controller) for controller in controllers())

    def settle(self, *, seconds: int = 600) -> None:
        """Visits, sweeps and time go on until nothing is due within `seconds`."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            sweep()
            if self.visit_all():
                continue
            due = self._next_due()
            self.now += self._pause(min(due, end) if due else self.now)
            if due is None:
                sweep()
                if not self.visit_all():
                    return

    def _next_due(self) -> datetime | None:
        """When the first row is due that has something left to do."""
        managers = {controller.model._default_manager for controller in controllers()}
        times = [manager.unsettled().aggregate(at=Min("next_attempt_at"))["at"] for manager in managers]
        return min((at for at in times if at), default=None)

    def _pause(self, until: datetime) -> timedelta:
        """The steps of time that end there, and no later than the scheduler's next sweep."""
        steps = ceil((until - self.now) / STEP)
        return STEP * min(max(steps, 1), SWEEP_EVERY // STEP)


@cache
def printed_page() -> bytes:
    """A PDF that stands for every invoice: their look has tests of its own, and each takes a quarter of a second."""
    return render_pdf("<p>Invoice</p>", base_url="", identifier=b"drive", created=datetime(2026, 1, 1, tzinfo=UTC))


def iter_runs(controller: object) -> int:
    """The controller has run until it found nothing due; returns how many rows it visited."""
    total = 0
    while count := controller.run():  # type: ignore[attr-defined]
        total += count
    return total
