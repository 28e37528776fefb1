"""`/metrics` for Prometheus: requests of this site, and queue, due rows and orders as the database has them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from core import clock
from core.call_times.counting import BOUNDS, FAILURES, Bucket, Count, bound_text
from core.call_times.store import read_call_times
from core.engine.controller import controllers
from core.engine.queue import ALL_QUEUES, read_queue
from orders.choices import State
from orders.models import Order


def metrics(request: HttpRequest) -> HttpResponse:
    """Only for those who send METRICS_TOKEN as a bearer token; without that setting there is no such page."""
    if not settings.METRICS_TOKEN:
        raise Http404
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not secrets.compare_digest(sent.encode(), settings.METRICS_TOKEN.encode()):
        answer = HttpResponse("Send METRICS_TOKEN as a bearer token.\n", content_type="text/plain")
        answer.status_code, answer["WWW-Authenticate"] = HTTPStatus.UNAUTHORIZED, "Bearer"
        return answer
    own = CollectorRegistry()
    own.register(DatabaseCollector())
    return HttpResponse(generate_latest(_requests()) + generate_latest(own), content_type=CONTENT_TYPE_LATEST)


def _requests() -> CollectorRegistry:
    """Requests as all processes of this site counted them, where they share a folder; else those of this process."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


class DatabaseCollector(Collector):
    """What the database knows, read when it is asked for: the same from every process and machine."""

    def collect(self) -> Iterator[Metric]:
        """Each metric once; the number of queries is that of the kinds of rows, whatever their count."""
        yield from self._queue()
        yield from self._rows()
        yield from self._orders()
        yield from self._outside()

    def _queue(self) -> Iterator[GaugeMetricFamily]:
        status = read_queue()
        length = GaugeMetricFamily("live_queue_messages", "Messages that no worker has taken.", labels=["queue"])
        for queue in ALL_QUEUES:
            length.add_metric([queue], status.waiting_by_queue.get(queue, 0))
        yield length
        if status.swept_at:
            age = (clock.now() - status.swept_at).total_seconds()
            yield GaugeMetricFamily("live_sweep_age_seconds", "Since workers last finished a sweep.", value=age)

    def _rows(self) -> Iterator[GaugeMetricFamily]:
        due = GaugeMetricFamily("live_due_rows", "Rows that a worker should visit now.", labels=["controller"])
        oldest = GaugeMetricFamily("live_oldest_due_seconds", "For how long the oldest is due.", labels=["controller"])
        now = clock.now()
        for controller in controllers():
            count, since = controller.due_rows(now)
            due.add_metric([controller.name], count)
            oldest.add_metric([controller.name], (now - since).total_seconds() if since else 0)
        yield due
        yield oldest

    def _orders(self) -> Iterator[GaugeMetricFamily]:
        counts = Order.objects.count_by_state()
        orders = GaugeMetricFamily("live_orders", "Orders by state.", labels=["state"])
        for state in State:
            orders.add_metric([state.value], counts.get(state.value, 0))
        yield orders
        attention = Order.objects.filter(needs_attention=True).count()
        yield GaugeMetricFamily("live_orders_needing_attention", "Orders that staff have to look at.", value=attention)

    def _outside(self) -> Iterator[Metric]:
        counts = dict(read_call_times())
        times = HistogramMetricFamily(
            "live_outside_seconds", "Calls of workers to other systems.", labels=["system", "outcome"]
        )
        for system, outcome in sorted({(bucket.system, bucket.outcome) for bucket in counts}):
            times.add_metric([system, outcome], *_histogram(system, outcome, counts))
        yield times
        errors = CounterMetricFamily(
            "live_outside_errors", "Calls to other systems that failed.", labels=["system", "outcome"]
        )
        for system in sorted({bucket.system for bucket in counts}):
            for failure in FAILURES:  # with its zeros, so that the first error of a kind is an increase
                failed = sum(
                    count.calls
                    for bucket, count in counts.items()
                    if (bucket.system, bucket.outcome) == (system, failure)
                )
                errors.add_metric([system, failure], failed)
        yield errors


def _histogram(system: str, outcome: str, counts: Mapping[Bucket, Count]) -> tuple[list[tuple[str, float]], float]:
    """For each bound the calls that took no longer, and the seconds of all calls together."""
    calls, seconds, buckets = 0, 0.0, []
    for bound in BOUNDS:
        count = counts.get(Bucket(system, outcome, bound), Count())
        calls, seconds = calls + count.calls, seconds + count.seconds
        buckets.append((bound_text(bound), float(calls)))
    return buckets, seconds
