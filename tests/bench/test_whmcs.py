"""A full sync of 20,000 clients of a simulated WHMCS, against the bare reading of the same pages and details."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from customers.models import Customer
from customers.whmcs import sync
from customers.whmcs.client import WhmcsClient
from customers.whmcs.reading import read_details

pytestmark = [pytest.mark.bench, pytest.mark.django_db]

CLIENTS = int(os.environ.get("BENCH_CLIENTS", "20000"))


@pytest.fixture
def whmcs(socket_enabled: None) -> Iterator[WhmcsClient]:
    """The client of a simulator in a process of its own, so that its memory is not counted."""
    command = [sys.executable, "-m", "customers.whmcs.simulator", "--port", "0", "--clients", str(CLIENTS)]
    with subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r"http://\S+", process.stdout.readline())
        assert found is not None
        client = WhmcsClient(url=found[0], identifier="simulated-identifier", secret="simulated-secret")
        try:
            yield client
        finally:
            client.close()
            process.terminate()


class Counted:
    """Queries, seconds, and how much the peak memory of this process has grown, in megabytes."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.queries = 0
        before, started = peak(), time.perf_counter()
        with connection.execute_wrapper(self._count):
            act()
        self.seconds, self.megabytes = time.perf_counter() - started, peak() - before

    def _count(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.queries += 1
        return execute(sql, params, many, context)

    def __str__(self) -> str:
        return f"{self.seconds:.1f} s, {self.queries} queries, peak memory +{self.megabytes:.0f} MB"


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def read_pages(client: WhmcsClient, *, with_details: bool) -> int:
    """The bare reading: the pages, and the details as many at a time as the sync reads them."""
    start: int | None = 0
    read = 0
    while start is not None:
        page = client.clients(start=start, limit=sync.PAGE_SIZE)
        read += page.returned
        if with_details:
            read_details(client, [summary.client_id for summary in page.clients])
        start = page.next_start
    return read


def sync_all(client: WhmcsClient) -> None:
    start: int | None = 0
    last_id = 0
    while start is not None:
        result = sync.sync_page(client, start=start, after_id=last_id)
        start, last_id = result.next_start, result.last_id


def test_full_sync_of_twenty_thousand_clients(whmcs: WhmcsClient) -> None:
    floor = Counted(lambda: read_pages(whmcs, with_details=True))
    first = Counted(lambda: sync_all(whmcs))
    pages = Counted(lambda: read_pages(whmcs, with_details=False))
    second = Counted(lambda: sync_all(whmcs))
    assert Customer.objects.count() == CLIENTS
    for line in (
        f"\nfloor: {CLIENTS} clients in pages with their details, read and thrown away: {floor}",
        f"first sync: {first}; {first.seconds / floor.seconds:.1f} times the floor",
        f"floor: the pages alone: {pages}",
        f"second sync, nothing to write: {second}; {second.seconds / pages.seconds:.1f} times the floor",
    ):
        print(line)  # noqa: T201  (a benchmark speaks)
    assert second.queries < first.queries
