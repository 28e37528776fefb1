"""Looks up the names of hosts for aiohttp, and lets only allowed addresses through."""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import Executor
from functools import partial

from aiohttp.abc import AbstractResolver, ResolveResult

from core.outside.address_guard import AddressGuard


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
