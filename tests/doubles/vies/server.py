"""`POST /check-vat-number` on an address of this machine, with the fault codes that VIES documents."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

FAULTS = (
    *("INVALID_INPUT", "INVALID_REQUESTER_INFO", "SERVICE_UNAVAILABLE", "MS_UNAVAILABLE", "TIMEOUT"),
    *("VAT_BLOCKED", "IP_BLOCKED", "GLOBAL_MAX_CONCURRENT_REQ", "GLOBAL_MAX_CONCURRENT_REQ_TIME"),
    *("MS_MAX_CONCURRENT_REQ", "MS_MAX_CONCURRENT_REQ_TIME"),
)


@dataclass(slots=True, kw_only=True)
class ViesDouble:
    """The VAT ids that are in use, with their names; `fault`, `status`, `body` and `delay` spoil the answers."""

    in_use: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    status: int = 200
    body: bytes | None = None
    delay: float = 0
    questions: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, question: dict[str, Any]) -> tuple[int, bytes]:
        """Status and body."""
        self.questions.append(question)
        time.sleep(self.delay)
        if self.body is not None or self.status != 200:
            return self.status, self.body or b""
        if self.fault:
            return 200, json.dumps({"actionSucceed": False, "errorWrappers": [{"error": self.fault}]}).encode()
        vat_id = f"{question['countryCode']}{question['vatNumber']}"
        requested = bool(question.get("requesterNumber"))
        answer = {
            **question,
            "requestDate": "2026-11-27T12:00:00.000Z",
            "valid": vat_id in self.in_use,
            "requestIdentifier": f"WAPIAAAA{len(self.questions):08}" if requested and vat_id in self.in_use else "",
            "name": self.in_use.get(vat_id, "---"),
            "address": "---",
        }
        return 200, json.dumps(answer).encode()


@contextmanager
def running(double: ViesDouble) -> Iterator[ViesDouble]:
    """The double answers at its `url` meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = (404, b"") if self.path != "/rest-api/check-vat-number" else double.answer(question)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    double.url = f"http://127.0.0.1:{server.server_port}/rest-api"
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
