"""What tests of billing share: a clock that stands still, and nobody who listens to the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from importlib import import_module

import pytest
from django.apps import apps

from billing.models import ReminderStep, VatRate
from core.engine import controller


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """Sets the company's calendar day."""
    monkeypatch.setattr(controller, "enqueue_calls", lambda *args, **options: None)

    def set_day(day: date) -> None:
        monkeypatch.setattr("core.clock.today", lambda: day)

    return set_day


@pytest.fixture
def seeded(db: None) -> None:
    """The rates and the reminders of the migrations, which a test with real transactions may have swept away."""
    if not (VatRate.objects.exists() and ReminderStep.objects.exists()):
        VatRate.objects.all().delete()
        ReminderStep.objects.all().delete()
        import_module("billing.migrations.0007_issued_stays_issued").seed(apps, None)
        import_module("billing.migrations.0010_reminders_in_dutch").translate(apps, None)
