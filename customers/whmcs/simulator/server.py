"""The simulated WHMCS, speaking HTTP on an address of this machine."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl

from customers.whmcs.parsing import redact
from customers.whmcs.simulator.actions import Refused, perform
from customers.whmcs.simulator.oddities import Oddities
from customers.whmcs.simulator.records import Records

IDENTIFIER, SECRET, ACCESS_KEY = "simulated-identifier", "simulated-secret", "simulated-access-key"
ID_KEYS = frozenset({"id", "userid", "clientid", "client_id", "orderid", "invoiceid", "pid", "totalresults", "relid"})
PAGE = b"<!doctype html><title>Down for Maintenance</title><p>We are currently performing maintenance."


@dataclass(slots=True, kw_only=True)
class Simulator:
    """A WHMCS in this process; `calls` are the forms that came in, without secrets."""

    records: Records = field(default_factory=Records)
    oddities: Oddities = field(default_factory=Oddities)
    calls: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    _lock: Any = field(default_factory=Lock, repr=False)

    def answer(self, form: dict[str, str]) -> tuple[int, str, bytes] | None:
        """Status, content type and body; None closes the connection without an answer."""
        time.sleep(self.oddities.delay)
        with self._lock:
            self.calls.append(redact(form))
            if self.oddities.maintenance_page:
                return 200, "text/html", PAGE
            if self.oddities.refused_address and form.get("accesskey") != ACCESS_KEY:
                return 403, "application/json", _json({"result": "error", "message": "Invalid IP 192.0.2.1"})
            if (form.get("identifier"), form.get("secret")) != (IDENTIFIER, SECRET):
                return 403, "application/json", _json({"result": "error", "message": "Authentication Failed"})
            body = self._perform(form)
            if self.oddities.lost_replies > 0:
                self.oddities.lost_replies -= 1
                return None
            return 200, "application/json", _json(body)

    def _perform(self, form: dict[str, str]) -> dict[str, Any]:
        for client_id in self.oddities.gone_after_list:
            if form.get("action") == "GetClientsDetails":
                self.records.clients.pop(client_id, None)
        try:
            body = perform(self.records, form.get("action", ""), form)
        except Refused as refusal:
            return {"result": "error", "message": str(refusal)}
        if self.oddities.string_ids:
            body = _with_string_ids(body)
        if self.oddities.empty_lists_as_text:
            body = {key: "" if _is_empty_list(value) else value for key, value in body.items()}
        return _flatten(body) if self.oddities.flattened else body


@contextmanager
def running(simulator: Simulator, port: int = 0) -> Iterator[Simulator]:
    """The simulator listens on 127.0.0.1, and `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            if not self.path.endswith("/includes/api.php"):
                reply: tuple[int, str, bytes] | None = (404, "text/html", b"<h1>404 Not Found</h1>")
            else:
                reply = simulator.answer(dict(parse_qsl(body, keep_blank_values=True)))
            if reply is None:
                self.close_connection = True
                return
            status, kind, content = reply
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            """Calls are kept in `calls`."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    with Server(("127.0.0.1", port), Handler) as server:
        simulator.url = f"http://127.0.0.1:{server.server_port}/whmcs"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield simulator
        finally:
            server.shutdown()


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _is_empty_list(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and next(iter(value.values())) == []


def _with_string_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: str(item) if key in ID_KEYS and isinstance(item, int) else _with_string_ids(item)
            for key, item in value.items()
        }
    return [_with_string_ids(item) for item in value] if isinstance(value, list) else value


def _flatten(body: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}

    def add(key: str, value: Any) -> None:
        if isinstance(value, dict | list) and value:
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for step, item in items:
                add(f"{key}[{step}]" if key else str(step), item)
        else:
            flat[key] = value

    add("", body)
    return flat
