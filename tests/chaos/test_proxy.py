"""The proxy of the chaos runs passes everything on, and can be cut off and made slow."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer, ThreadingUnixStreamServer
from threading import Thread

import pytest

from tests.chaos import proxy as double
from tests.chaos.proxy import Proxy, tcp_proxy, unix_proxy

pytestmark = pytest.mark.usefixtures("socket_enabled")
FOREVER = 30  # seconds; longer than any answer takes on a busy machine


class Echo(StreamRequestHandler):
    """Each line comes back; after the last comes a goodbye."""

    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line)
        self.wfile.write(b"goodbye\n")


class EchoServer(ThreadingTCPServer):
    daemon_threads = True


class UnixEchoServer(ThreadingUnixStreamServer):
    daemon_threads = True


@pytest.fixture
def proxied() -> Iterator[tuple[Proxy, int]]:
    """A proxy before a server that echoes."""
    with EchoServer(("127.0.0.1", 0), Echo) as echo:
        Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        with tcp_proxy("127.0.0.1", echo.server_address[1]) as proxied:
            yield proxied
        echo.shutdown()


@contextmanager
def calling(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=FOREVER) as client:
        yield client


def echo_of(client: socket.socket, line: bytes) -> bytes:
    client.sendall(line)
    return client.makefile("rb").readline()


def test_what_is_sent_reaches_the_part_and_its_answer_comes_back(proxied: tuple[Proxy, int]) -> None:
    with calling(proxied[1]) as client, calling(proxied[1]) as another:
        assert echo_of(client, b"news\n") == b"news\n"
        assert echo_of(another, b"more\n") == b"more\n"


def test_a_client_that_has_finished_gets_the_rest_of_the_answer(proxied: tuple[Proxy, int]) -> None:
    with calling(proxied[1]) as client:
        client.sendall(b"last\n")
        client.shutdown(socket.SHUT_WR)
        assert client.makefile("rb").read() == b"last\ngoodbye\n"


def test_a_part_that_is_down_resets_connections_and_takes_no_new_ones(proxied: tuple[Proxy, int]) -> None:
    proxy, port = proxied
    with calling(port) as client:
        assert echo_of(client, b"news\n") == b"news\n"
        proxy.is_down = True
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with calling(port) as client:
        assert ends_at_once(client)
    proxy.is_down = False
    with calling(port) as client:
        assert echo_of(client, b"well again\n") == b"well again\n"


def test_the_shortest_outage_ends_what_was_open(proxied: tuple[Proxy, int]) -> None:
    proxy, port = proxied
    with calling(port) as client:
        assert echo_of(client, b"news\n") == b"news\n"
        proxy.is_down = True
        proxy.is_down = False
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_slow_part_takes_its_time(proxied: tuple[Proxy, int], monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, port = proxied
    monkeypatch.setattr(double, "SLOW", (0.2, 0.3))
    proxy.is_slow = True
    with calling(port) as client:
        begun = time.monotonic()
        assert echo_of(client, b"news\n") == b"news\n"
        assert time.monotonic() - begun >= 0.2


def test_a_part_that_is_not_there_is_closed_to_the_client() -> None:
    with tcp_proxy("127.0.0.1", unused_port()) as (_proxy, port), calling(port) as client:
        assert ends_at_once(client)


def test_a_unix_socket_is_proxied_as_well() -> None:
    with tempfile.TemporaryDirectory() as name, UnixEchoServer(f"{name}/part", Echo) as echo:
        Thread(target=echo.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        folder = Path(name)
        with unix_proxy(folder / "proxy", folder / "part") as proxy, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(FOREVER)
            client.connect(str(folder / "proxy"))
            assert echo_of(client, b"news\n") == b"news\n"
            proxy.is_down = True
            assert ends_at_once(client)
        assert not (folder / "proxy").exists()
        echo.shutdown()


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def ends_at_once(client: socket.socket) -> bool:
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
