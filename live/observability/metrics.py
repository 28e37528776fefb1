"""`/metrics` for Prometheus: requests of this site, and queue, due rows and orders as the database has them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily

from core import clock
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


class DatabaseCollector:
    """What the database knows, read when it is asked for: the same from every process and machine."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each metric once; the number of queries is that of the kinds of rows, whatever their count."""
        yield from self._queue()
        yield from self._rows()
        yield from self._orders()

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
