"""A door before a web server that lets through, or misbehaves as servers in trouble do; the server itself goes on."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

PAGE = b"<!DOCTYPE html><html><body>Zabbix is being set up</body></html>"


@dataclass
class Door:
    """Where it is, and how it behaves: `open`, or the name of a fault."""

    fault: str = "open"
    port: int = 0
    lose_after: int | None = None
    """After so many calls, the reply to one is lost, once."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fault_of_this_call(self) -> str:
        """How it behaves to who knocks now."""
        if self.lose_after is None:
            return self.fault
        self.lose_after -= 1
        if self.lose_after >= 0:
            return self.fault
        self.lose_after = None
        return "lost reply"


class Guard(BaseHTTPRequestHandler):
    """Answers for the server behind it."""

    door: Door
    behind: str

    def do_POST(self) -> None:
        """One call, faithfully or not."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        match self.door.fault_of_this_call():
            case "open":
                self._answer(*self._ask(body))
            case "silent":
                time.sleep(5)
            case "hangs up":
                self.close_connection = True
            case "page":
                self._answer(200, PAGE, "text/html")
            case "nonsense":
                self._answer(200, b'["not", "what", "was", "asked"]')
            case "half":
                status, answer, kind = self._ask(body)
                self._answer(status, answer[: len(answer) // 2], kind, length=len(answer))
            case "ends sessions":
                self._end_session(body)
                self._answer(*self._ask(body))
            case "lost reply":  # done behind the door, and never told
                self._ask(body)
                self.close_connection = True
            case code:
                self._answer(int(code), PAGE, "text/html")

    def _end_session(self, body: bytes) -> None:
        """Whoever is signed in is so no longer: Zabbix itself will say it."""
        shown = json.loads(body)
        if shown["method"] not in ("user.login", "apiinfo.version"):
            self._ask(json.dumps({**shown, "method": "user.logout", "params": []}).encode())

    def _ask(self, body: bytes) -> tuple[int, bytes, str]:
        parts = urlsplit(self.behind)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        kept = ("Content-Type", "Authorization")
        line.request("POST", self.path, body, {name: self.headers[name] for name in kept if name in self.headers})
        answer = line.getresponse()
        return answer.status, answer.read(), answer.headers.get("Content-Type", "application/json")

    def _answer(self, status: int, body: bytes, kind: str = "application/json", *, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Silence."""


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up early is what this is about."""


@contextmanager
def door_before(url: str) -> Iterator[Door]:
    """A door on a port of its own, open until it is told otherwise."""
    door = Door()
    guard = type("Guard", (Guard,), {"door": door, "behind": url})
    with QuietServer(("127.0.0.1", 0), guard) as server:
        door.port = server.server_port
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield door
        server.shutdown()
