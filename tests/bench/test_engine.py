"""The engine's own cost of an order, against the bare queue running the same number of no-op tasks.

Both run in this one process, so the floor is the queue's rows alone: no second process, no waiting. The engine's side
holds what every room writes when an order moves (timeline, mail, monitor, subscription, invoice), and the sandbox.
"""

from __future__ import annotations

import time

import pytest
from django.apps import apps
from django.db import connection

from infrastructure.models import Provider
from infrastructure.sandbox.models import SandboxSwitches
from live.lib import clock, control, queue
from live.lib.adapters.http_check import HttpResult
from live.lib.control import work
from orders.models import Order
from orders.services import place_order
from orders.words import State
from products.models import ReleaseBundle
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory, make_draft

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]

ORDERS = 40
Task = tuple[str, list[int]]


def no_op() -> None:
    """What the floor runs."""


def bare_queue(tasks: int) -> float:
    """Seconds to enqueue so many no-op tasks, and to take, run and finish each as the queue's worker does."""
    waiting, finished = apps.get_model("django_q.OrmQ"), apps.get_model("django_q.Task")
    started = time.perf_counter()
    for _ in range(tasks):
        queue.enqueue("tests.bench.test_engine.no_op")
    for row in list(waiting.objects.order_by("pk")):
        waiting.objects.filter(pk=row.pk).update(lock=row.lock)
        asked = row.task
        no_op()
        finished.objects.create(
            id=asked["id"], name=asked["name"], func=asked["func"], started=clock.now(), stopped=clock.now()
        )
        row.delete()
    return time.perf_counter() - started


def drive(tasks: list[Task]) -> int:
    """Every task asked for was run in its turn, and what that asked for; returns how many ran."""
    done = 0
    while tasks:
        name, pks = tasks.pop(0)
        if name in ("server", "deployment", "endpoint"):
            work(name, pks)
            done += 1
    return done


def test_engine_costs_a_few_no_ops_per_order(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider, build_seconds=0, launch_seconds=0)
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    plan, customer = PlanFactory(product=release.product, auto_approve=True), CustomerFactory()
    drafts = [
        make_draft(release=release, plan=plan, customer=customer, sandbox=True, name=f"maps {n}") for n in range(ORDERS)
    ]
    tasks: list[Task] = []
    answer = HttpResult(ok=True, message="answered 200", status=200, seconds=0.0)
    monkeypatch.setattr("infrastructure.tasks.check_all", lambda checks: [answer for _ in checks])

    def take(_task: str, controller: str, pks: list[int], **options: object) -> None:
        tasks.append((controller, pks))

    monkeypatch.setattr(control, "enqueue", take)
    started = time.perf_counter()
    for draft in drafts:
        place_order(order=draft)
    ran = drive(tasks)
    engine = time.perf_counter() - started
    monkeypatch.undo()
    floor = bare_queue(ran)
    assert Order.objects.filter(state=State.ACTIVE).count() == ORDERS
    lines = (
        f"\nfloor: the bare queue runs {ran} no-op tasks on {connection.vendor} in {floor:.2f} s",
        f"engine: {ORDERS} orders from placed to active in {engine:.2f} s, {1000 * engine / ORDERS:.0f} ms each,"
        f" {ran / ORDERS:.1f} tasks each, sandbox included: {engine / floor:.1f} times the floor",
    )
    for line in lines:
        print(line)  # noqa: T201  (a benchmark speaks)
