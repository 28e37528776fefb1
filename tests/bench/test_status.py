"""Status of 2,000 servers and 10,000 services, against one bare read of as many rows."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infrastructure.drift.services import request_drift_scan
from infrastructure.drift.tasks import DriftScanController
from infrastructure.models import DriftFinding, Provider, Service
from infrastructure.observation.tasks import observe_provider
from infrastructure.sandbox.models import SandboxComposition, SandboxNode
from tests.infrastructure.many import NAMES, make_many

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

SERVERS = 2000


def measured(act: Callable[[], object]) -> tuple[float, int]:
    """Seconds, best of three, and the number of queries."""
    best = float("inf")
    for _ in range(3):
        with CaptureQueriesContext(connection) as queries:
            started = time.perf_counter()
            act()
            best = min(best, time.perf_counter() - started)
    return best, len(queries)


def compare() -> None:
    request_drift_scan()
    DriftScanController().run()


def test_status_and_comparison_of_two_thousand_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    make_many(provider, SERVERS)
    observe_provider(provider.pk)
    floor, _ = measured(
        lambda: (list(SandboxNode.objects.all()), list(SandboxComposition.objects.all()), list(Service.objects.all()))
    )
    look, look_queries = measured(lambda: observe_provider(provider.pk))
    compared, compare_queries = measured(compare)
    assert Service.objects.count() == SERVERS * len(NAMES)
    assert not DriftFinding.objects.exists()
    rows = f"{SERVERS} nodes, {SERVERS} compositions and {Service.objects.count()} services"
    for line in (
        f"\nfloor: a bare read of {rows}: {floor:.2f} s",
        f"status of all: {look:.2f} s, {look / floor:.1f} times the floor, {look_queries} queries, 2 calls",
        f"comparison: {compared:.2f} s, {compared / floor:.1f} times the floor, {compare_queries} queries, 3 calls",
    ):
        print(line)  # noqa: T201  (a benchmark speaks)
