"""A proxy before an outside part, which can be cut off or made slow without harm to anybody else who uses the part."""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread

SLOW = (2.0, 4.0)  # seconds for each piece that a client sends
PIECE = 2**16
TICK = 0.05  # seconds until a connection notices that the part is down
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing tells the other end at once that nothing more is taken

Address = tuple[str, int] | Path
"""A host and its port, or a Unix socket."""


class Proxy:
    """How the part behind it behaves now."""

    def __init__(self, target: Address) -> None:
        self.target = target
        self.is_slow = False
        self.cuts = 0
        self._is_down = False

    @property
    def is_down(self) -> bool:
        """True while every connection is closed at once."""
        return self._is_down

    @is_down.setter
    def is_down(self, is_down: bool) -> None:
        self._is_down = is_down
        self.cuts += is_down  # a connection that was open is reset, however short the outage

    def connect(self) -> socket.socket:
        """A connection to the part itself."""
        if isinstance(self.target, tuple):
            return socket.create_connection(self.target)
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.target))
        return connection

    def slow_down(self) -> None:
        """While the part is slow, a piece takes its time."""
        if self.is_slow:
            time.sleep(random.uniform(*SLOW))  # noqa: S311


class Relay(BaseRequestHandler):
    """One connection: what either end sends reaches the other."""

    server: _TcpListener | _UnixListener
    request: socket.socket

    def handle(self) -> None:
        """Until both ends have finished, or the part is down."""
        proxy, cuts = self.server.proxy, self.server.proxy.cuts
        with suppress(OSError), proxy.connect() as target:
            others = {self.request: target, target: self.request}
            while others and proxy.cuts == cuts and not proxy.is_down:
                for source in select.select(list(others), [], [], TICK)[0]:
                    self._pass_on(source, others)
            if others:
                self._reset()

    def _pass_on(self, source: socket.socket, others: dict[socket.socket, socket.socket]) -> None:
        if piece := source.recv(PIECE):
            if source is self.request:
                self.server.proxy.slow_down()
            others[source].sendall(piece)
        else:
            others.pop(source).shutdown(socket.SHUT_WR)

    def _reset(self) -> None:
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.request.close()


class _TcpListener(ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def verify_request(self, request: object, client_address: object) -> bool:
        return not self.proxy.is_down


class _UnixListener(ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128
    proxy: Proxy

    def verify_request(self, request: object, client_address: object) -> bool:
        return not self.proxy.is_down


@contextmanager
def tcp_proxy(host: str, port: int) -> Iterator[tuple[Proxy, int]]:
    """A proxy before a port, and the port of the loopback on which it listens."""
    proxy = Proxy((host, port))
    with _TcpListener(("127.0.0.1", 0), Relay) as listener, _serving(listener, proxy):
        yield proxy, int(listener.server_address[1])


@contextmanager
def unix_proxy(listen: Path, target: Path) -> Iterator[Proxy]:
    """A proxy before a Unix socket; it listens on one of its own, whose path has to be short."""
    proxy = Proxy(target)
    with _UnixListener(str(listen), Relay) as listener, _serving(listener, proxy):
        yield proxy
    listen.unlink()


@contextmanager
def _serving(listener: _TcpListener | _UnixListener, proxy: Proxy) -> Iterator[None]:
    listener.proxy = proxy
    Thread(target=listener.serve_forever, kwargs={"poll_interval": TICK}, daemon=True).start()
    yield
    proxy.is_down = True  # connections that are still open end with it
    listener.shutdown()
