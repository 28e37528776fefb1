"""A web server that sends the very bytes it is given, however odd."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


def response(body: bytes, *, status: str = "200 OK", headers: Mapping[str, str | bytes] | None = None) -> bytes:
    """A complete response; header values may be raw bytes."""
    lines = [f"HTTP/1.1 {status}".encode(), b"Content-Length: %d" % len(body), b"Connection: close"]
    for name, value in (headers or {}).items():
        lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def redirect(location: str | bytes) -> bytes:
    """A redirect without a body."""
    return response(b"", status="302 Found", headers={"Location": location})


@contextmanager
def serving_raw(pages: Mapping[str, bytes], *, host: str = "127.0.0.1") -> Iterator[int]:
    """The port on which `pages` are served, by the path as it came over the wire."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as door:

        def answer(line: socket.socket) -> None:
            with line, suppress(OSError):
                request = b""
                while b"\r\n\r\n" not in request and (more := line.recv(4096)):
                    request += more
                if request:
                    line.sendall(pages.get(request.split(b" ")[1].decode("latin-1"), NOT_FOUND))

        def accept() -> None:
            with suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(door.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)
