"""People who click: requests to a running site with the sessions they have, timed by page."""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiohttp


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Whoever clicks: what their browser or program sends, and the addresses that they open by the name of the page."""

    headers: dict[str, str]
    pages: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Clicks:
    """Seconds by page, and every answer that was not a page."""

    times: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Pages a second."""
        return sum(map(len, self.times.values())) / self.seconds

    def p95(self, page: str = "") -> float:
        """Milliseconds that 95 of 100 requests of the page, or of all, took at most."""
        chosen = self.times[page] if page else [value for values in self.times.values() for value in values]
        return statistics.quantiles(chosen, n=20)[-1] * 1000 if len(chosen) > 1 else chosen[0] * 1000


class Crowd:
    """Clicks of many people at one site, each on a connection of their own as long as the site keeps it."""

    def __init__(self, url: str, people: Sequence[Person], seed: int) -> None:
        self._url, self._people, self._random = url, people, random.Random(seed)  # noqa: S311  (clicks are no secret)

    def one_by_one(self, rounds: int) -> Clicks:
        """One request at a time: every page of a member of staff and of a customer, again and again."""

        async def run(clicks: Clicks, session: aiohttp.ClientSession) -> None:
            for _ in range(rounds):
                for kind in {person.pages[0][0]: person for person in self._people}.values():
                    for name, path in kind.pages:
                        await self._click(clicks, session, kind, name, path)

        return self._run(run)

    def saturate(self, at_once: int, seconds: float) -> Clicks:
        """So many requests are under way all the time: the most that the site can do."""

        async def run(clicks: Clicks, session: aiohttp.ClientSession) -> None:
            until = time.monotonic() + seconds

            async def lane() -> None:
                while time.monotonic() < until:
                    await self._random_click(clicks, session, self._random.choice(self._people))

            await asyncio.gather(*(lane() for _ in range(at_once)))

        return self._run(run)

    def at_rate(self, rate: float, seconds: float) -> Clicks:
        """Everybody clicks now and then, together so often a second, whether or not earlier clicks were answered."""

        async def run(clicks: Clicks, session: aiohttp.ClientSession) -> None:
            until, mean = time.monotonic() + seconds, len(self._people) / rate

            async def life(person: Person) -> None:
                while True:
                    pause = self._random.expovariate(1 / mean)
                    if time.monotonic() + pause > until:
                        return
                    await asyncio.sleep(pause)
                    await self._random_click(clicks, session, person)

            await asyncio.gather(*(life(person) for person in self._people))

        return self._run(run)

    def _run(self, run: Callable[[Clicks, aiohttp.ClientSession], Awaitable[None]]) -> Clicks:
        async def clicking() -> Clicks:
            clicks, connector = Clicks(), aiohttp.TCPConnector(limit=0)
            timeout = aiohttp.ClientTimeout(total=60)
            jar = aiohttp.DummyCookieJar()
            async with aiohttp.ClientSession(connector=connector, timeout=timeout, cookie_jar=jar) as session:
                started = time.monotonic()
                await run(clicks, session)
                clicks.seconds = time.monotonic() - started
            return clicks

        return asyncio.run(clicking())

    async def _random_click(self, clicks: Clicks, session: aiohttp.ClientSession, person: Person) -> None:
        name, path = self._random.choice(person.pages)
        await self._click(clicks, session, person, name, path)

    async def _click(
        self, clicks: Clicks, session: aiohttp.ClientSession, person: Person, name: str, path: str
    ) -> None:
        started = time.perf_counter()
        try:
            async with session.get(self._url + path, headers=person.headers, allow_redirects=False) as answer:
                await answer.read()
                problem = "" if answer.status == 200 else f"{name}: {answer.status}"
        except (aiohttp.ClientError, TimeoutError) as error:
            problem = f"{name}: {error!r}"
        if problem:
            clicks.errors.append(problem)
        else:
            clicks.times.setdefault(name, []).append(time.perf_counter() - started)
