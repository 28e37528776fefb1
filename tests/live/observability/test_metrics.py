"""Prometheus reads the state of queue, rows and orders; nobody else does."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from core import clock
from core.call_times.counting import CallOutcome, OutsideSystem, count_call, take_counts
from core.call_times.store import store_call_times
from core.engine.queue import DOCUMENTS, Call, enqueue_calls
from core.models import Heartbeat
from customers.models import Message
from orders.choices import State
from orders.models import Order
from tests.factories import make_draft

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-the-tests"


@pytest.fixture(autouse=True)
def _token(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def read(client: Client, token: str = TOKEN) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    response = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer ", f"Basic {TOKEN}", "Bearer tökén"])
def test_nobody_reads_metrics_without_the_token(client: Client, header: str) -> None:
    response = client.get("/metrics", headers={"Authorization": header})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"live_" not in response.content


def test_without_the_setting_there_is_no_such_page(client: Client, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_messages_are_counted_by_queue(client: Client) -> None:
    enqueue_calls("time.sleep", [Call((0,)) for _ in range(3)], queue=DOCUMENTS)
    samples = read(client)
    assert samples["live_queue_messages", "documents"] == 3
    assert samples["live_queue_messages", "live"] == 0


def test_oldest_due_row_and_late_sweep_are_measured_in_seconds(client: Client) -> None:
    ago = clock.now() - timedelta(minutes=10)
    Message.objects.create(key="late", to=["gis@example.org"], subject="s", text="t", next_attempt_at=ago)
    Heartbeat.objects.create(name="sweep", finished_at=ago)
    samples = read(client)
    assert samples["live_due_rows", "mail"] == 1
    assert samples["live_oldest_due_seconds", "mail"] == pytest.approx(600, abs=60)
    assert samples["live_sweep_age_seconds",] == pytest.approx(600, abs=60)
    assert samples["live_due_rows", "server"] == 0


def test_orders_are_counted_by_state(client: Client) -> None:
    make_draft()
    Order.objects.filter(pk=make_draft().pk).update(state=State.ACTIVE, needs_attention=True)
    samples = read(client)
    assert [samples["live_orders", state] for state in ("draft", "active", "removed")] == [1, 1, 0]
    assert samples["live_orders_needing_attention",] == 1


def test_requests_are_counted_besides(client: Client) -> None:
    client.get("/healthz")
    assert any(name.startswith("django_http_requests_total_by_view") for name, *_labels in read(client))


def test_times_of_outside_calls_are_a_histogram_with_every_kind_of_error(client: Client) -> None:
    take_counts()
    for outcome, seconds in ((CallOutcome.OK, 0.2), (CallOutcome.OK, 0.7), (CallOutcome.TRANSIENT, 120.0)):
        count_call(OutsideSystem.ZABBIX, outcome, seconds)
    store_call_times()
    samples = read(client)
    bounds = ("0.1", "0.25", "0.5", "1", "60", "+Inf")
    found = {
        outcome: [
            value
            for key, value in samples.items()
            if key[0] == "live_outside_seconds_bucket" and key[1] in bounds and key[2] == outcome
        ]
        for outcome in ("ok", "transient")
    }
    assert found == {"ok": [0, 1, 1, 2, 2, 2], "transient": [0, 0, 0, 0, 0, 1]}
    assert samples["live_outside_seconds_sum", "ok", "zabbix"] == pytest.approx(0.9)
    errors = {key[1]: value for key, value in samples.items() if key[0] == "live_outside_errors_total"}
    assert errors == {"transient": 1, "permanent": 0, "configuration": 0, "unexpected": 0}


def test_number_of_queries_does_not_grow_with_orders(client: Client, django_assert_max_num_queries: Any) -> None:
    for _ in range(3):
        make_draft()
    with django_assert_max_num_queries(30):
        read(client)


def test_dashboard_for_grafana_asks_only_for_metrics_that_there_are(client: Client) -> None:
    make_draft()
    Heartbeat.objects.create(name="sweep", finished_at=clock.now())
    client.get("/healthz")
    count_call(OutsideSystem.CLOUD, CallOutcome.OK, 0.2)
    store_call_times()
    names = {name for name, *_labels in read(client)}
    dashboard = json.loads((settings.BASE_DIR / "deploy/grafana/geocat-live.json").read_text())
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"\b(?:live|django)_\w+", target["expr"])
    }
    assert len(asked) == 9
    assert asked <= names
