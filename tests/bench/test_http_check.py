"""The built-in checker against bare aiohttp on the same local server; `make bench` prints the ratio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import aiohttp
import pytest

from core.outside.http_check import CONCURRENCY, HttpCheck, check_all

pytestmark = [pytest.mark.bench, pytest.mark.usefixtures("socket_enabled")]

RUNS = 3
LIMIT = 1.3


async def ask_bare(url: str, count: int) -> None:
    """What a small script would do: as many requests, as many at a time, each body read and searched."""
    waiting = iter(range(count))

    async def lane(session: aiohttp.ClientSession) -> None:
        for _ in waiting:
            async with session.get(url) as response:
                assert "WMS_Capabilities" in await response.text()

    connector = aiohttp.TCPConnector(limit=CONCURRENCY)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as session:
        await asyncio.gather(*(lane(session) for _ in range(CONCURRENCY)))


def check(url: str, count: int) -> None:
    results = check_all([HttpCheck(url=url, contains="WMS_Capabilities")] * count)
    assert all(result.ok for result in results)


def seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


@pytest.mark.parametrize("count", [2_000, 20_000])
def test_checks_cost_little_more_than_bare_requests(url: str, count: int) -> None:
    check(url, 200)  # warm: authorities read, modules loaded
    ours = floor = float("inf")
    for _ in range(RUNS):
        ours = min(ours, seconds(lambda: check(url, count)))
        floor = min(floor, seconds(lambda: asyncio.run(ask_bare(url, count))))
    line = f"\n{count} checks: {ours:.2f} s, bare aiohttp: {floor:.2f} s, ratio {ours / floor:.2f} (at most {LIMIT})"
    print(line)  # noqa: T201  (a benchmark speaks)
    assert ours / floor <= LIMIT
