"""A web server on this machine that answers every request alike, so that the client is what is measured."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from multiprocessing.connection import Connection

import pytest

BODY = b"<WMS_Capabilities version='1.3.0'>" + b"<Layer><Name>roads</Name></Layer>" * 60 + b"</WMS_Capabilities>"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


class Capabilities(asyncio.Protocol):
    """Answers each request with the same capabilities."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(RESPONSE * data.count(b"\r\n\r\n"))


def serve(announce: Connection) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Capabilities, "127.0.0.1", 0, backlog=1000)
        announce.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    yield f"http://127.0.0.1:{here.recv()}/wms"
    server.terminate()
    server.join()
