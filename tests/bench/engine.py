"""Run as a program: what orders and no-op tasks cost a real worker; a line of JSON on standard output.

Both sides run alike: a cluster of two workers that stands ready, the time from the first request to the last row
written. The engine's side is all that rooms do for an order on its way to active: server, composition, endpoints,
monitor, subscription, invoice, mail, timeline. What is outside is left out: addresses answer at once, the sandbox does
not wait, mail goes to a file, and an invoice's pages are not drawn (tests/bench has a floor of its own for those).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "live.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  (what follows needs the settings)
from django.db import connections  # noqa: E402
from django_q.cluster import Cluster  # noqa: E402
from django_q.models import OrmQ, Task  # noqa: E402

from core.engine import controller, queue  # noqa: E402
from core.outside.http_check import HttpResult  # noqa: E402
from infrastructure.models import Provider  # noqa: E402
from infrastructure.sandbox.models import SandboxSwitches  # noqa: E402
from orders.choices import State  # noqa: E402
from orders.models import Order  # noqa: E402
from orders.services import place_order  # noqa: E402
from products.models import ReleaseBundle  # noqa: E402
from tests.factories import CustomerFactory, PlanFactory, ReleaseFactory, make_draft  # noqa: E402

PATIENCE = 300
NO_OPS = 200


def no_op() -> None:
    """What the floor runs."""


def answers(checks: list[object], **_options: object) -> list[HttpResult]:
    """Every address answers at once."""
    return [HttpResult(status=200) for _ in checks]


def drafts(count: int) -> list[Order]:
    """So many drafts of one product, in a sandbox that makes nobody wait."""
    provider = Provider.objects.create(slug="sandbox", name="Sandbox", kind=Provider.Kind.SANDBOX)
    SandboxSwitches.objects.create(provider=provider, build_seconds=0, launch_seconds=0)
    release = ReleaseFactory()
    ReleaseBundle.objects.create(release=release, archive=b"")
    plan, customer = PlanFactory(product=release.product, auto_approve=True), CustomerFactory()
    return [
        make_draft(release=release, plan=plan, customer=customer, sandbox=True, name=f"maps {n}") for n in range(count)
    ]


def settled() -> bool:
    """Nothing waits in the queue, and no row has anything to do."""
    return not OrmQ.objects.exists() and not any(
        item.model._default_manager.unsettled().exists() for item in controller.controllers()
    )


def left_over() -> str:
    """What has not settled, and why."""
    rows = [
        f"{len(messages)} messages" if (messages := list(OrmQ.objects.values_list("pk", flat=True))) else "no messages",
        *(
            f"{item.name}: {row.last_error or 'waits'} until {row.next_attempt_at}"
            for item in controller.controllers()
            for row in item.model._default_manager.unsettled()[:2]
        ),
        *(f"{task.func} failed: {task.result}" for task in Task.objects.filter(success=False)[:2]),
    ]
    return "; ".join(rows)[:3000]


def wait_until(done: Callable[[], bool]) -> None:
    """Returns when `done`; looks twenty times a second, as a look costs the worker little."""
    until = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > until:
            sys.exit(f"nothing came of it within {PATIENCE} seconds: {left_over()}")
        time.sleep(0.05)


def timed(ask: Callable[[], None], done: Callable[[], bool]) -> float:
    """Seconds from asking until `done`."""
    started = time.perf_counter()
    ask()
    wait_until(done)
    return time.perf_counter() - started


def no_ops(count: int) -> float:
    """Seconds that so many no-op tasks take, from the first request until the last is acknowledged."""

    def ask() -> None:
        for _ in range(count):
            queue.enqueue("tests.bench.engine.no_op")

    return timed(ask, lambda: not OrmQ.objects.exists())


def next_message() -> int:
    """The number that the next message of the queue gets: what was done well leaves no other trace."""
    message = OrmQ.objects.create(key="bench", payload="")
    number = message.pk
    message.delete()
    return number + 1


def place(orders: list[Order]) -> None:
    """The orders are placed, one transaction each."""
    for order in orders:
        place_order(order=order)


def main(count: int) -> None:
    """Both sides ran in this database, which is theirs alone."""
    call_command("migrate", verbosity=0)
    orders = drafts(count)
    connections.close_all()  # the cluster's processes are forked from this one
    with (
        patch("infrastructure.provisioning.tasks.check_all", answers),
        patch("monitoring.adapters.builtin.checker.check_all", answers),
        patch("billing.documents.tasks.invoice_pdf", lambda document, **options: b"%PDF-"),
    ):
        cluster = Cluster()
        cluster.start()
    try:
        found = measure(orders)
    finally:
        cluster.stop()  # its processes would keep this one from ending
    print(json.dumps(found))  # noqa: T201


def measure(orders: list[Order]) -> dict[str, float]:
    """What the orders took, and the same number of tasks that do nothing: some before them, some after."""
    no_ops(1)
    before = no_ops(NO_OPS)
    first = next_message()
    engine = timed(lambda: place(orders), settled)
    tasks = next_message() - first - 1
    if failures := list(Task.objects.filter(success=False).values_list("func", "result")):
        sys.exit(f"{len(failures)} tasks failed, first: {failures[0]}")
    active = Order.objects.filter(state=State.ACTIVE).count()
    floor = tasks * (before + no_ops(NO_OPS)) / (2 * NO_OPS)
    return {"active": active, "tasks": tasks, "engine": engine, "floor": floor}


if __name__ == "__main__":
    main(int(sys.argv[1]))
