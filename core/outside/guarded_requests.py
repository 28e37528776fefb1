"""Lets requests (the library) reach only addresses that a guard allows."""

from __future__ import annotations

import socket
from functools import partial
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from core.outside.address_guard import AddressGuard


def guarded_session(guard: AddressGuard) -> requests.Session:
    """A session for URLs that people give us; AddressBlocked is raised before anything is sent."""
    session = requests.Session()
    session.trust_env = False  # a proxy would resolve the name again, and unguarded
    session.mount("http://", GuardedAdapter(guard))
    session.mount("https://", GuardedAdapter(guard))
    return session


class GuardedAdapter(HTTPAdapter):
    """Connects to the very addresses that the guard has judged, redirects included."""

    def __init__(self, guard: AddressGuard) -> None:
        self._guard = guard
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """The pools make guarded connections."""
        super().init_poolmanager(*args, **kwargs)
        plain = type("Pool", (HTTPConnectionPool,), {"ConnectionCls": partial(_Plain, guard=self._guard)})
        secure = type("Pool", (HTTPSConnectionPool,), {"ConnectionCls": partial(_Secure, guard=self._guard)})
        self.poolmanager.pool_classes_by_scheme = {"http": plain, "https": secure}


class _Guarded:
    """A connection that resolves its name by the guard."""

    host: str
    port: int
    timeout: Any
    source_address: Any
    socket_options: Any

    def __init__(self, *args: Any, guard: AddressGuard, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._guard = guard

    def _new_conn(self) -> socket.socket:
        """Connected to the first allowed address that answers, with the exceptions that urllib3 expects."""
        connection: Any = self
        error: Exception | None = None
        try:
            addresses = self._guard.resolve(self.host, self.port)
        except socket.gaierror as unknown:
            raise NameResolutionError(self.host, connection, unknown) from unknown
        for address in addresses:
            try:
                return create_connection(
                    (address, self.port),
                    self.timeout,
                    source_address=self.source_address,
                    socket_options=self.socket_options,
                )
            except TimeoutError as late:
                error = ConnectTimeoutError(connection, f"Connection to {self.host} timed out")
                error.__cause__ = late
            except OSError as refused:
                error = NewConnectionError(connection, f"Failed to establish a new connection: {refused}")
                error.__cause__ = refused
        assert error is not None  # noqa: S101  # the guard never answers with no address at all
        raise error


class _Plain(_Guarded, HTTPConnection):
    pass


class _Secure(_Guarded, HTTPSConnection):
    pass
