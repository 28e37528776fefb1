"""Checks whether web addresses answer as expected: many at a time, on one event loop, by aiohttp."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AsyncExitStack
from functools import lru_cache, partial
from http.cookies import BaseCookie
from types import TracebackType

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_reqrep import ClientResponse
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from yarl import URL

from core.outside.address_guard import EXCEPT_METADATA, AddressBlocked, AddressGuard
from core.outside.check_failure import CheckFailure, FailureKind
from core.outside.decompression import Decoding
from core.outside.failure_causes import failure_of
from core.outside.http_check import HttpCheck, HttpResult
from core.outside.redirects import REDIRECTS, ascii_url, redirect_target
from core.outside.text_search import TextSearch

MAX_REDIRECTS = 10  # as Zabbix follows
COMPLETE_UP_TO = 1024 * 1024  # a longer body has arrived well enough once the text is found, or none is looked for
LONGEST_HEADERS = 512 * 1024
NAME_LOOKUPS = 64  # at a time; a silent name server holds a thread for its own time-out
HEADERS = {"User-Agent": "geocat-live-check", "Accept": "*/*", "Accept-Encoding": "gzip, deflate, br"}
NO_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=None)  # each check has one, over all its requests


class _Failed(Exception):
    def __init__(self, failure: CheckFailure) -> None:
        super().__init__(failure.kind)
        self.failure = failure


async def run_checks(checks: Sequence[HttpCheck], guard: AddressGuard, concurrency: int) -> list[HttpResult]:
    """One result per check, in the same order; none raises."""
    results: dict[int, HttpResult] = {}
    async with _Checker(guard) as checker:
        waiting = iter(enumerate(checks))
        lanes = (checker.work(waiting, results) for _ in range(min(concurrency, len(checks))))
        await asyncio.gather(*lanes)
    return [results[index] for index in range(len(checks))]


class _Checker:
    """Two sessions: one for the addresses of the checks, one, guarded, for other hosts that they redirect to."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> _Checker:
        threads = ThreadPoolExecutor(NAME_LOOKUPS, thread_name_prefix="name-lookup")
        # Not waited for: a name server that stays silent must not hold the results back.
        self._stack.callback(threads.shutdown, wait=False, cancel_futures=True)
        self._own = await self._stack.enter_async_context(_session(GuardedResolver(EXCEPT_METADATA, threads)))
        self._others = await self._stack.enter_async_context(_session(GuardedResolver(self._guard, threads)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def work(self, waiting: Iterator[tuple[int, HttpCheck]], results: dict[int, HttpResult]) -> None:
        """Takes one check after another, until none is left."""
        for index, check in waiting:
            results[index] = await self._check(check)

    async def _check(self, check: HttpCheck) -> HttpResult:
        started = time.monotonic()
        status, failure = None, None
        try:
            async with asyncio.timeout(check.max_seconds):
                status, failure = await self._follow(check)
        except _Failed as error:
            failure = error.failure
        except TimeoutError:
            failure = CheckFailure(kind=FailureKind.TIMEOUT, seconds=check.max_seconds)
        except (aiohttp.ClientError, AddressBlocked, OSError, ValueError) as error:
            failure = failure_of(error)
        return HttpResult(failure=failure, status=status, seconds=round(time.monotonic() - started, 3))

    async def _follow(self, check: HttpCheck) -> tuple[int, CheckFailure | None]:
        """The last answer of a chain of redirects, judged."""
        url = URL(ascii_url(check.url), encoded=True)
        own = url
        cookies: aiohttp.CookieJar | None = None
        for _ in range(MAX_REDIRECTS + 1):
            sent = cookies.filter_cookies(url) if cookies is not None else None
            async with await self._get(url, own, sent) as response:
                location = response.headers.get("Location", "")
                if response.status == check.status or response.status not in REDIRECTS or not location.strip():
                    return response.status, await _judge(check, response)
                if response.cookies:  # kept within one check, as pages that set one and redirect expect
                    cookies = cookies or aiohttp.CookieJar(unsafe=True)
                    cookies.update_cookies(response.cookies, response.url)
                response.close()
            url = URL(redirect_target(str(url), location), encoded=True)
        raise _Failed(CheckFailure(kind=FailureKind.TOO_MANY_REDIRECTS, host=_host_of(own)))

    async def _get(self, url: URL, own: URL, cookies: BaseCookie[str] | None) -> ClientResponse:
        host = _host_of(url)
        is_own = is_same_place(url, own)
        guard, session = (EXCEPT_METADATA, self._own) if is_own else (self._guard, self._others)
        try:
            if not guard.allows_host(host):
                raise AddressBlocked(f"{host} is in a private network")
            return await session.get(url, cookies=cookies, allow_redirects=False)
        except AddressBlocked as error:
            kind = FailureKind.ADDRESS_BLOCKED if is_own else FailureKind.REDIRECT_BLOCKED
            raise _Failed(CheckFailure(kind=kind, host=host, detail=str(error))) from error


def _host_of(url: URL) -> str:
    return (url.raw_host or "").rstrip(".").lower()


def is_same_place(url: URL, own: URL) -> bool:
    """True on the check's own host and port, and where plain HTTP leads to HTTPS of the same host.

    Another port of a private host can be anything: another order, a database, this site.
    """
    is_secured = (own.scheme, own.port, url.scheme, url.port) == ("http", 80, "https", 443)
    return _host_of(url) == _host_of(own) and (url.port == own.port or is_secured)


def _session(resolver: GuardedResolver) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        # Bounded by the number of checks under way: a wait inside the pool would count as the address's own.
        connector=aiohttp.TCPConnector(limit=0, ssl=trusted_authorities(), resolver=resolver),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=HEADERS,
        timeout=NO_TIMEOUT,
        auto_decompress=False,
        max_line_size=LONGEST_HEADERS,
        max_field_size=LONGEST_HEADERS,
        max_headers=1000,
    )


@lru_cache(maxsize=1)
def trusted_authorities() -> ssl.SSLContext:
    """Judges certificates by the authorities that come with requests; read once for the process."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


async def _judge(check: HttpCheck, response: ClientResponse) -> CheckFailure | None:
    if response.status != check.status:
        response.close()
        return CheckFailure(kind=FailureKind.STATUS, status=response.status, expected=check.status)
    if await _has_text(check.contains, response):
        return None
    return CheckFailure(kind=FailureKind.TEXT_MISSING, text=check.contains)


async def _has_text(text: str, response: ClientResponse) -> bool:
    """Searches the body as it streams, to its end where the text is not found."""
    search = TextSearch(text, charset=response.charset or "")
    decoding = Decoding(response.headers.get("Content-Encoding", ""))
    length = 0
    async for part in response.content.iter_any():
        for piece in decoding.feed(part):
            search.feed(piece)
            length += len(piece)
            if search.found and length >= COMPLETE_UP_TO:
                response.close()
                return True
            if length > COMPLETE_UP_TO:
                await asyncio.sleep(0)  # others get their turn, and the time-out its chance
    decoding.finish()
    return search.finish()


class GuardedResolver(AbstractResolver):
    """Connections are made to the addresses that are given here, so nothing can change between check and connect."""

    def __init__(self, guard: AddressGuard, threads: Executor) -> None:
        self._guard = guard
        self._threads = threads

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The allowed addresses of `host`; AddressBlocked when it has others only."""
        look_up = partial(socket.getaddrinfo, host, port, family=family, type=socket.SOCK_STREAM)
        infos = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        families = {str(info[4][0]): info[0] for info in infos}
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=families[address], proto=0, flags=socket.AI_NUMERICHOST
            )
            for address in self._guard.filter(host, families)
        ]

    async def close(self) -> None:
        """The threads belong to whoever made them."""
