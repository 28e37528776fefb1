"""The line that checks go over: one list of authorities for all of them, and a deadline that nothing outlasts."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress
from functools import lru_cache, partial
from types import TracebackType
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool


class Deadline:
    """Whatever is still open on the lines it watches is cut when its time has come, in the middle of a word if need be.

    A time-out of a socket starts anew with every byte, so that an address that drips would hold its checker for hours.
    """

    def __init__(self, until: float) -> None:
        self.until = until
        self._lines: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, until - time.monotonic()), self._cut)
        self._timer.daemon = True

    @property
    def has_passed(self) -> bool:
        """True once nothing more is waited for."""
        return time.monotonic() >= self.until

    def watch(self, line: socket.socket) -> None:
        """The line will be cut in time, and at once when that is over: a name server may have taken all of it."""
        with self._lock:
            # A handle of its own: wrapping in TLS takes the first one away, and closing it frees its number.
            self._lines.append(line.dup())
        if self.has_passed:
            self._cut()

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for line in self._lines:
                line.close()
            self._lines.clear()

    def _cut(self) -> None:
        with self._lock:
            for line in self._lines:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)


class _Watched:
    """A connection whose socket is under the eye of a deadline from its first moment, the handshake included."""

    def __init__(self, *args: Any, deadline: Deadline, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline = deadline

    def _new_conn(self) -> socket.socket:
        line: socket.socket = super()._new_conn()  # type: ignore[misc]  # of the connection it is mixed into
        self._deadline.watch(line)
        return line


class _Plain(_Watched, HTTPConnection):
    pass


class _Secure(_Watched, HTTPSConnection):
    pass


class Line(HTTPAdapter):
    """Connects for one check; set its `deadline` before."""

    deadline: Deadline

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Every secure connection trusts the same authorities."""
        super().init_poolmanager(*args, ssl_context=_trusting(), **kwargs)

    def build_connection_pool_key_attributes(
        self, request: PreparedRequest, verify: bool | str, cert: Any = None
    ) -> Any:
        """As requests wants it, but that the authorities are not read again: that costs more than the check."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {name: value for name, value in dict(pool).items() if name != "ca_certs"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context judges; there is nothing to add."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        """A pool whose connections the deadline watches."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        kind = _Secure if pool.scheme == "https" else _Plain
        pool.ConnectionCls = partial(kind, deadline=self.deadline)
        return pool  # type: ignore[no-any-return]


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """Certificates are judged by the authorities that come with requests; read once for the process."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
