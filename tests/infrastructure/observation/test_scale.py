"""Status and comparison of many servers: outside calls grow with providers, queries do not grow with rows."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from infrastructure.drift.services import request_drift_scan
from infrastructure.drift.tasks import DriftScanController
from infrastructure.models import Deployment, DriftFinding, Endpoint, Provider, Server, Service
from infrastructure.observation.tasks import observe_provider
from infrastructure.provisioning.reconcile import reconcile_orders
from infrastructure.sandbox.driver import SandboxNodeDriver
from infrastructure.sandbox.runtime import SandboxRuntime
from orders.choices import Part, PartState
from orders.models import Order
from orders.part_reports import Report, report_many
from tests.infrastructure.many import NAMES, make_many

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    monkeypatch.setattr("core.engine.controller.enqueue_calls", lambda *args, **options: None)
    return Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call to the outside, by name."""
    made: list[str] = []

    def counted(where: Any, name: str) -> None:
        real = getattr(where, name)

        def call(*args: Any, **named: Any) -> Any:
            made.append(name)
            return real(*args, **named)

        monkeypatch.setattr(where, name, call)

    counted(SandboxNodeDriver, "list_nodes")
    counted(SandboxRuntime, "snapshot")
    counted(SandboxRuntime, "observe")
    counted(SandboxRuntime, "list_keys")
    return made


def queries(act: Any) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)


def test_status_of_many_takes_the_calls_and_queries_of_few(provider: Provider, calls: list[str]) -> None:
    make_many(provider, 5)
    observe_provider(provider.pk)
    calls.clear()
    few = queries(lambda: observe_provider(provider.pk))
    make_many(provider, 195)
    observe_provider(provider.pk)
    calls.clear()
    assert queries(lambda: observe_provider(provider.pk)) == few
    assert calls == ["list_nodes", "snapshot", "observe"]  # the sandbox observes in order to look
    assert few <= 20
    assert Service.objects.count() == 200 * len(NAMES)
    assert not Service.objects.filter(cpu_percent=None).exists()
    assert not Server.objects.exclude(node_state="running").exists()
    assert Service.objects.values("seen_at").distinct().count() == 1


def test_comparison_of_many_takes_the_calls_and_queries_of_few(provider: Provider, calls: list[str]) -> None:
    def compare() -> None:
        request_drift_scan()
        DriftScanController().run()

    make_many(provider, 5)
    compare()
    few = queries(compare)
    make_many(provider, 195)
    calls.clear()
    assert queries(compare) == few
    assert calls == ["list_nodes", "observe", "list_keys"]
    assert not DriftFinding.objects.exists()


def test_following_many_settled_orders_takes_the_queries_of_one(provider: Provider) -> None:
    make_many(provider, 50)
    pks = list(Order.objects.values_list("pk", flat=True))
    assert queries(lambda: reconcile_orders(pks[:1])) == queries(lambda: reconcile_orders(pks))
    assert not Server.objects.unsettled().exists()
    assert not Deployment.objects.unsettled().exists()


def test_endpoints_are_asked_where_a_server_made_anew_stands(provider: Provider) -> None:
    make_many(provider, 1)
    deployment = Deployment.objects.get()
    Endpoint.objects.create(
        order=deployment.order,
        deployment=deployment,
        name="wms",
        application="WMS",
        url="http://192.0.2.66/wms",
        check_url="http://192.0.2.66/wms",
        wanted_version=0,
    )
    parts = (Part.SERVER, Part.COMPOSITION)
    report_many([Report(order_pk=deployment.order_id, part=part, state=PartState.READY, version=1) for part in parts])
    reconcile_orders([deployment.order_id])
    row = Endpoint.objects.get()
    assert row.url == f"http://testserver/sandbox/{deployment.order.key}/wms"
    assert row.check_url.startswith("http://testserver/sandbox/")
    assert row.next_attempt_at is not None
